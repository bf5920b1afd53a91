// Reads and writes numbers in network byte order.
#pragma once

#include <cstddef>
#include <cstdint>

#include <sluice/dtls/bytes.h>

namespace sluice::data_channel {

using dtls::Buffer;
using dtls::Bytes;
using dtls::MutableBytes;

// Precondition: bytes.size() >= offset + the size of the number.
constexpr std::uint8_t load_u8(Bytes bytes, std::size_t offset) {
  return std::to_integer<std::uint8_t>(bytes[offset]);
}
constexpr std::uint16_t load_u16(Bytes bytes, std::size_t offset) {
  return static_cast<std::uint16_t>(load_u8(bytes, offset) << 8 | load_u8(bytes, offset + 1));
}
constexpr std::uint32_t load_u32(Bytes bytes, std::size_t offset) {
  return std::uint32_t{load_u16(bytes, offset)} << 16 | load_u16(bytes, offset + 2);
}

inline void append_u8(Buffer& out, std::uint8_t value) { out.push_back(std::byte{value}); }
inline void append_u16(Buffer& out, std::uint16_t value) {
  append_u8(out, static_cast<std::uint8_t>(value >> 8));
  append_u8(out, static_cast<std::uint8_t>(value));
}
inline void append_u32(Buffer& out, std::uint32_t value) {
  append_u16(out, static_cast<std::uint16_t>(value >> 16));
  append_u16(out, static_cast<std::uint16_t>(value));
}
inline void append(Buffer& out, Bytes bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }

}  // namespace sluice::data_channel
