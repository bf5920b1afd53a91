// The record_size_limit extension (RFC 8449 section 4).
#pragma once

#include <cstdint>
#include <optional>

#include "message/extension_block.h"

namespace sluice::dtls::message {

inline std::optional<std::uint16_t> decode_record_size_limit(Bytes data) {
  wire::Reader reader(data);
  const std::uint16_t limit = reader.u16();
  return reader.complete() ? std::optional(limit) : std::nullopt;
}

inline void put_record_size_limit(wire::Writer& out, std::uint16_t limit) {
  put_extension(out, wire::ExtensionType::record_size_limit,
                [&](wire::Writer& data) { data.u16(limit); });
}

}  // namespace sluice::dtls::message
