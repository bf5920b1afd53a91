// The connection_id extension (RFC 9146 section 3).
#pragma once

#include <optional>

#include "message/extension_block.h"

namespace sluice::dtls::message {

// May be empty.
inline std::optional<Bytes> decode_connection_id(Bytes data) {
  wire::Reader reader(data);
  const Bytes id = reader.vector8();
  return reader.complete() ? std::optional(id) : std::nullopt;
}

inline void put_connection_id(wire::Writer& out, Bytes id) {
  put_extension(out, wire::ExtensionType::connection_id, [&](wire::Writer& data) {
    const auto length = data.vector8();
    data.bytes(id);
  });
}

}  // namespace sluice::dtls::message
