// The numbers of RTP, each of a type of its own (RFC 3550 section 5.1).
#pragma once

#include <cstdint>
#include <type_traits>

namespace sluice::rtp {

enum class Ssrc : std::uint32_t {};
enum class PayloadType : std::uint8_t {};      // 0 to 127
enum class SequenceNumber : std::uint16_t {};  // wraps around
enum class Timestamp : std::uint32_t {};       // in units of the clock rate; wraps around
// The local identifier of a header extension, from a=extmap: 1 to 14 in the one-byte form, 1 to 255
// in the two-byte form (RFC 8285 section 4).
enum class ExtensionId : std::uint8_t {};

// The number itself.
template <class Number>
  requires std::is_enum_v<Number>
constexpr std::underlying_type_t<Number> number(Number value) {
  return static_cast<std::underlying_type_t<Number>>(value);
}

// How far `to` is ahead of `from`: -32768 to 32767; negative if it is behind.
constexpr int distance(SequenceNumber from, SequenceNumber to) {
  return static_cast<std::int16_t>(number(to) - number(from));
}
constexpr SequenceNumber operator+(SequenceNumber value, int step) {
  return SequenceNumber{static_cast<std::uint16_t>(number(value) + step)};
}

}  // namespace sluice::rtp
