// Reads and writes numbers in network byte order, bytes and text.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <sluice/rtp/bytes.h>

namespace sluice::rtp {

// Precondition of all: bytes.size() >= offset + the size of the number.
constexpr std::uint8_t load_u8(Bytes bytes, std::size_t offset) {
  return std::to_integer<std::uint8_t>(bytes[offset]);
}
constexpr std::uint16_t load_u16(Bytes bytes, std::size_t offset) {
  return static_cast<std::uint16_t>(load_u8(bytes, offset) << 8 | load_u8(bytes, offset + 1));
}
constexpr std::uint32_t load_u24(Bytes bytes, std::size_t offset) {
  return std::uint32_t{load_u8(bytes, offset)} << 16 | load_u16(bytes, offset + 1);
}
// With a sign.
constexpr std::int32_t load_i24(Bytes bytes, std::size_t offset) {
  return static_cast<std::int32_t>(load_u24(bytes, offset) << 8) >> 8;
}
constexpr std::uint32_t load_u32(Bytes bytes, std::size_t offset) {
  return std::uint32_t{load_u16(bytes, offset)} << 16 | load_u16(bytes, offset + 2);
}

constexpr void store_u8(MutableBytes bytes, std::size_t offset, std::uint8_t value) {
  bytes[offset] = std::byte{value};
}
constexpr void store_u16(MutableBytes bytes, std::size_t offset, std::uint16_t value) {
  store_u8(bytes, offset, static_cast<std::uint8_t>(value >> 8));
  store_u8(bytes, offset + 1, static_cast<std::uint8_t>(value));
}
constexpr void store_u24(MutableBytes bytes, std::size_t offset, std::uint32_t value) {
  store_u8(bytes, offset, static_cast<std::uint8_t>(value >> 16));
  store_u16(bytes, offset + 1, static_cast<std::uint16_t>(value));
}
constexpr void store_u32(MutableBytes bytes, std::size_t offset, std::uint32_t value) {
  store_u16(bytes, offset, static_cast<std::uint16_t>(value >> 16));
  store_u16(bytes, offset + 2, static_cast<std::uint16_t>(value));
}

// To the front of `to`, which has room. Of pointers, since GCC makes a loop of std::ranges::copy()
// and a call of memmove() of this.
constexpr void store_bytes(MutableBytes to, Bytes from) {
  std::copy(from.data(), from.data() + from.size(), to.data());
}

inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace sluice::rtp
