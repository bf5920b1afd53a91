// The fuzzer's bytes, read as a program's arguments.
#pragma once

#include <cstdint>

#include "support/bytes.h"
#include "wire/reader.h"

namespace sluice::fuzz {

inline dtls::Bytes bytes_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const std::byte*>(data), size};
}

// At most `size` bytes, fewer at the input's end; a copy of exactly that size on the heap, so that
// AddressSanitizer sees a read beyond it.
inline dtls::Buffer take(dtls::wire::Reader& input, std::size_t size) {
  return test::copy_of(input.bytes(std::min(size, input.rest().size())));
}

}  // namespace sluice::fuzz
