// The max_fragment_length extension (RFC 6066 section 4).
#pragma once

#include <cstdint>
#include <optional>

#include "message/extension_block.h"

namespace sluice::dtls::message {

enum class MaxFragmentLength : std::uint8_t {
  none = 0,  // not negotiated; not on the wire
  bytes_512 = 1,
  bytes_1024 = 2,
  bytes_2048 = 3,
  bytes_4096 = 4,
};

// Whether the extension may have this value.
constexpr bool is_allowed(MaxFragmentLength length) {
  return length >= MaxFragmentLength::bytes_512 && length <= MaxFragmentLength::bytes_4096;
}
// In bytes, of an allowed length.
constexpr std::uint16_t size_of(MaxFragmentLength length) {
  return static_cast<std::uint16_t>(1U << (8 + wire::value_of(length)));
}
// Empty for sizes that the extension cannot say.
constexpr std::optional<MaxFragmentLength> length_of(std::size_t size) {
  for (std::uint8_t code = 1; code <= 4; ++code) {
    if (size_of(MaxFragmentLength{code}) == size) return MaxFragmentLength{code};
  }
  return std::nullopt;
}

// The value may be none of those allowed. Empty when malformed.
inline std::optional<MaxFragmentLength> decode_max_fragment_length(Bytes data) {
  wire::Reader reader(data);
  const auto length = reader.code<MaxFragmentLength>();
  return reader.complete() ? std::optional(length) : std::nullopt;
}
inline void put_max_fragment_length(wire::Writer& out, MaxFragmentLength length) {
  put_extension(out, wire::ExtensionType::max_fragment_length,
                [&](wire::Writer& data) { data.code(length); });
}

}  // namespace sluice::dtls::message
