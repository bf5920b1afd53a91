// The first byte of RTP and RTCP packets, and the header extension of RTP (RFC 3550 sections 5.1,
// 5.3.1 and 6.4.1).
#pragma once

#include <cstddef>
#include <cstdint>

namespace sluice::rtp {

inline constexpr std::uint8_t kVersion = 2;  // in the two highest bits
inline constexpr std::uint8_t kPaddingBit = 0x20;
inline constexpr std::uint8_t kExtensionBit = 0x10;       // of RTP alone
inline constexpr std::size_t kExtensionHead = 4;          // profile and length
inline constexpr std::size_t kMaxExtension = 4 * 0xffff;  // bytes behind them

}  // namespace sluice::rtp
