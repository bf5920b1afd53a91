// Numbers and bytes in what servers store, in network byte order.
#pragma once

#include <cstddef>
#include <cstdint>

#include <sluice/dtls/bytes.h>

namespace sluice::interop {

// Precondition: bytes.size() >= offset + 4.
constexpr std::uint32_t load_u32(dtls::Bytes bytes, std::size_t offset) {
  std::uint32_t value = 0;
  for (const std::byte byte : bytes.subspan(offset, 4)) {
    value = value << 8 | std::to_integer<std::uint32_t>(byte);
  }
  return value;
}
inline void append_u32(dtls::Buffer& out, std::uint32_t value) {
  for (unsigned shift = 32; shift > 0; shift -= 8) {
    out.push_back(static_cast<std::byte>(value >> (shift - 8) & 0xff));
  }
}
inline void append(dtls::Buffer& out, dtls::Bytes bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

}  // namespace sluice::interop
