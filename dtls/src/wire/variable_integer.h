// Integers of variable length (RFC 9000 section 16), for stored forms: 1, 2, 4 or 8 bytes, the
// fewest possible.
#pragma once

#include <bit>
#include <cstdint>

#include "wire/reader.h"
#include "wire/writer.h"

namespace sluice::dtls::wire {

inline constexpr std::uint64_t kMaxVariable = (std::uint64_t{1} << 62) - 1;

// In bytes, for a number up to kMaxVariable.
constexpr std::size_t variable_size(std::uint64_t number) {
  return number < 1U << 6 ? 1 : number < 1U << 14 ? 2 : number < 1U << 30 ? 4 : 8;
}

// A larger number than kMaxVariable does not fit.
inline void put_variable(Writer& out, std::uint64_t number) {
  if (number > kMaxVariable) return out.fail();
  switch (variable_size(number)) {
    case 1:
      return out.u8(number);
    case 2:
      return out.u16(number | 1U << 14);
    case 4:
      return out.u32(number | 2U << 30);
    default:
      return out.u64(number | std::uint64_t{3} << 62);
  }
}

// Fails where fewer bytes would have held the number.
inline std::uint64_t take_variable(Reader& reader) {
  const std::uint64_t first = reader.u8();
  const unsigned width = 1U << (first >> 6);
  std::uint64_t number = first & 0x3f;
  for (unsigned i = 1; i < width; ++i) number = number << 8 | reader.u8();
  if (variable_size(number) != width) reader.fail();
  return reader.ok() ? number : 0;
}

}  // namespace sluice::dtls::wire
