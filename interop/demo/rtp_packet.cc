#include "demo/rtp_packet.h"

namespace sluice::interop::demo {
namespace {

constexpr std::size_t kFixedHeader = 12;
constexpr std::size_t kSsrcOffset = 8;
// RFC 8285 sections 4.2 and 4.3. The low four bits of the two-byte profile are free for
// applications.
constexpr std::uint16_t kOneByteProfile = 0xbede;
constexpr std::uint16_t kTwoByteProfile = 0x1000;

std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

std::optional<RtpHeader> read_rtp_header(Bytes packet) {
  if (packet.size() < kFixedHeader || load_u8(packet, 0) >> 6 != 2) return std::nullopt;
  const bool padded = (load_u8(packet, 0) & 0x20) != 0;
  const bool extended = (load_u8(packet, 0) & 0x10) != 0;
  std::size_t offset = kFixedHeader + 4 * std::size_t{load_u8(packet, 0) & 0x0fU};
  RtpHeader header{.payload_type = static_cast<std::uint8_t>(load_u8(packet, 1) & 0x7f),
                   .sequence_number = load_u16(packet, 2),
                   .timestamp = load_u32(packet, 4),
                   .ssrc = load_u32(packet, kSsrcOffset),
                   .payload_size = 0,
                   .extension = {},
                   .extension_profile = 0};
  if (extended) {
    if (packet.size() < offset + 4) return std::nullopt;
    const std::size_t length = 4 * std::size_t{load_u16(packet, offset + 2)};
    if (packet.size() < offset + 4 + length) return std::nullopt;
    header.extension_profile = load_u16(packet, offset);
    header.extension = packet.subspan(offset + 4, length);
    offset += 4 + length;
  }
  if (packet.size() < offset) return std::nullopt;
  const std::size_t padding = padded ? load_u8(packet, packet.size() - 1) : 0;
  if ((padded && padding == 0) || packet.size() - offset < padding) return std::nullopt;
  header.payload_size = packet.size() - offset - padding;
  return header;
}

std::optional<std::string_view> find_extension(const RtpHeader& header, std::uint8_t id) {
  const bool one_byte = header.extension_profile == kOneByteProfile;
  if (!one_byte && (header.extension_profile & 0xfff0) != kTwoByteProfile) return std::nullopt;
  Bytes rest = header.extension;
  while (!rest.empty()) {
    const auto first = load_u8(rest, 0);
    if (first == 0) {  // padding
      rest = rest.subspan(1);
      continue;
    }
    // RFC 8285 section 4.2: ID 15 is reserved; parsing must stop there.
    if (one_byte && first >> 4 == 15) return std::nullopt;
    const std::size_t head = one_byte ? 1 : 2;
    if (rest.size() < head) return std::nullopt;
    const auto element = static_cast<std::uint8_t>(one_byte ? first >> 4 : first);
    const std::size_t length = one_byte ? (first & 0x0fU) + 1U : load_u8(rest, 1);
    if (rest.size() < head + length) return std::nullopt;
    if (element == id) return as_text(rest.subspan(head, length));
    rest = rest.subspan(head + length);
  }
  return std::nullopt;
}

void set_rtp_ssrc(MutableBytes packet, std::uint32_t ssrc) { store_u32(packet, kSsrcOffset, ssrc); }

}  // namespace sluice::interop::demo
