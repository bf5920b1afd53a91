// As much of RTP and RTCP packets as SRTP looks at.
#pragma once

#include <cstddef>
#include <cstdint>

#include <sluice/srtp/session.h>

namespace sluice::srtp {

// UDP's length field ends here, and no packet comes from elsewhere.
inline constexpr std::size_t kMaxPacket = 65535;

// Fixed header of RTP (RFC 3550 section 5.1), and of RTCP as far as SRTCP leaves it in clear
// (RFC 3711 section 3.4).
inline constexpr std::size_t kRtpHeader = 12;
inline constexpr std::size_t kRtcpHeader = 8;

// As clear_header_size(), of an RTP packet with CSRCs or an extension.
std::size_t long_header_size(Bytes packet);

// The part of `packet` that stays in clear: for RTP with CSRCs and extension. 0 when it is not of
// version 2, longer than kMaxPacket, or shorter than its own header says. Inline, as each packet
// comes by here.
inline std::size_t clear_header_size(PacketKind kind, Bytes packet) {
  const std::size_t fixed = kind == PacketKind::rtp ? kRtpHeader : kRtcpHeader;
  if (packet.size() < fixed || packet.size() > kMaxPacket) return 0;
  const auto first = std::to_integer<unsigned>(packet.front());
  if (first >> 6 != 2) return 0;
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

// Of an RTP packet that has a clear_header_size().
inline std::uint16_t sequence_of(Bytes rtp) {
  return static_cast<std::uint16_t>(std::to_integer<unsigned>(rtp[2]) << 8 |
                                    std::to_integer<unsigned>(rtp[3]));
}

}  // namespace sluice::srtp
