#include "packet.h"

namespace sluice::srtp {
namespace {

std::uint32_t byte_at(Bytes packet, std::size_t offset) {
  return std::to_integer<std::uint32_t>(packet[offset]);
}

}  // namespace

std::size_t long_header_size(Bytes packet) {
  const std::size_t csrc_count = byte_at(packet, 0) & 0x0f;
  const bool has_extension = (byte_at(packet, 0) & 0x10) != 0;
  std::size_t size = kRtpHeader + 4 * csrc_count;
  if (has_extension) {
    // RFC 3550 section 5.3.1: two bytes of profile, then the number of 32-bit words that follow.
    if (packet.size() < size + 4) return 0;
    const std::size_t words = byte_at(packet, size + 2) << 8 | byte_at(packet, size + 3);
    size += 4 + 4 * words;
  }
  return packet.size() < size ? 0 : size;
}

}  // namespace sluice::srtp
