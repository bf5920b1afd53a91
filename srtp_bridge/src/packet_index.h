// The index of an RTP packet: roll-over counter and sequence number (RFC 3711 section 3.3.1).
#pragma once

#include <cstdint>

namespace sluice::srtp {

inline constexpr std::uint64_t kRollOver = 0x1'0000;           // sequence numbers
inline constexpr std::uint64_t kLastIndex = 0xffff'ffff'ffff;  // 48 bits

// The index of the packet with this sequence number that is nearest to `highest`, the highest index
// so far or 0, as libsrtp estimates it: the roll-over counter doesn't go below 0. Above kLastIndex
// where the indices are used up.
constexpr std::uint64_t nearest_index(std::uint64_t highest, std::uint16_t sequence) {
  constexpr std::uint64_t kMedian = 0x8000;  // half of the sequence numbers
  if (highest <= kMedian) return sequence;
  auto roll_overs = highest >> 16;
  const std::uint64_t newest = highest & 0xffff;
  if (newest < kMedian) {
    if (sequence > newest + kMedian) --roll_overs;
  } else if (sequence < newest - kMedian) {
    ++roll_overs;
  }
  return roll_overs << 16 | sequence;
}

}  // namespace sluice::srtp
