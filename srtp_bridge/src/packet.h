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

// The part of `packet` that stays in clear: for RTP with CSRCs and extension. Empty when it is not
// of version 2, longer than kMaxPacket, or shorter than its own header says.
std::optional<std::size_t> clear_header_size(PacketKind kind, Bytes packet);

// Of a packet that has a clear_header_size().
std::uint32_t ssrc_of(PacketKind kind, Bytes packet);

}  // namespace sluice::srtp
