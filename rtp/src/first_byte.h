// Bits of the first byte of RTP and RTCP packets (RFC 3550 sections 5.1 and 6.4.1).
#pragma once

#include <cstdint>

namespace sluice::rtp {

inline constexpr std::uint8_t kVersion = 2;  // in the two highest bits
inline constexpr std::uint8_t kPaddingBit = 0x20;
inline constexpr std::uint8_t kExtensionBit = 0x10;  // of RTP alone

}  // namespace sluice::rtp
