#include "packet.h"

namespace sluice::srtp {
namespace {

std::uint32_t byte_at(Bytes packet, std::size_t offset) {
  return std::to_integer<std::uint32_t>(packet[offset]);
}

std::optional<std::size_t> rtp_header_size(Bytes packet) {
  if (packet.size() < kRtpHeader) return std::nullopt;
  const std::size_t csrc_count = byte_at(packet, 0) & 0x0f;
  const bool has_extension = (byte_at(packet, 0) & 0x10) != 0;
  std::size_t size = kRtpHeader + 4 * csrc_count;
  if (has_extension) {
    // RFC 3550 section 5.3.1: two bytes of profile, then the number of 32-bit words that follow.
    if (packet.size() < size + 4) return std::nullopt;
    const std::size_t words = byte_at(packet, size + 2) << 8 | byte_at(packet, size + 3);
    size += 4 + 4 * words;
  }
  if (packet.size() < size) return std::nullopt;
  return size;
}

}  // namespace

std::optional<std::size_t> clear_header_size(PacketKind kind, Bytes packet) {
  if (packet.empty() || packet.size() > kMaxPacket) return std::nullopt;
  const auto version = byte_at(packet, 0) >> 6;
  if (version != 2) return std::nullopt;
  if (kind == PacketKind::rtp) return rtp_header_size(packet);
  if (packet.size() < kRtcpHeader) return std::nullopt;
  return kRtcpHeader;
}

std::uint32_t ssrc_of(PacketKind kind, Bytes packet) {
  const std::size_t offset = kind == PacketKind::rtp ? 8 : 4;
  return byte_at(packet, offset) << 24 | byte_at(packet, offset + 1) << 16 |
         byte_at(packet, offset + 2) << 8 | byte_at(packet, offset + 3);
}

}  // namespace sluice::srtp
