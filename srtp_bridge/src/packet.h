// As much of RTP and RTCP packets as SRTP looks at.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include <sluice/srtp/session.h>

namespace sluice::srtp {

enum class PacketKind : std::uint8_t { rtp, rtcp };

// UDP's length field ends here, and no packet comes from elsewhere.
inline constexpr std::size_t kMaxPacket = 65535;

// Fixed header of RTP (RFC 3550 section 5.1), and of RTCP as far as SRTCP leaves it in clear
// (RFC 3711 section 3.4).
inline constexpr std::size_t kRtpHeader = 12;
inline constexpr std::size_t kRtcpHeader = 8;

// Of an RTP packet with CSRCs or an extension.
std::optional<std::size_t> long_header_size(Bytes packet);

// The part of `packet` that stays in clear: for RTP with CSRCs and extension. Empty when it is not
// of version 2, longer than kMaxPacket, or shorter than its own header says. Inline, as each packet
// comes by here.
inline std::optional<std::size_t> clear_header_size(PacketKind kind, Bytes packet) {
  const std::size_t fixed = kind == PacketKind::rtp ? kRtpHeader : kRtcpHeader;
  if (packet.size() < fixed || packet.size() > kMaxPacket) return std::nullopt;
  const auto first = std::to_integer<unsigned>(packet.front());
  if (first >> 6 != 2) return std::nullopt;
  const bool is_long = kind == PacketKind::rtp && (first & 0x1f) != 0;
  return is_long ? long_header_size(packet) : fixed;
}

// Of a packet that has a clear_header_size().
inline std::uint32_t ssrc_of(PacketKind kind, Bytes packet) {
  const Bytes field = packet.subspan(kind == PacketKind::rtp ? 8 : 4, 4);
  const auto byte = [field](std::size_t i) { return std::to_integer<std::uint32_t>(field[i]); };
  // Not in a loop: compilers then see that it is one load.
  return byte(0) << 24 | byte(1) << 16 | byte(2) << 8 | byte(3);
}

}  // namespace sluice::srtp
