// The server_name extension (RFC 6066 section 3).
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "message/extension_block.h"

namespace sluice::dtls::message {

inline constexpr std::uint8_t kHostName = 0;
// The longest name of a host, in bytes (RFC 1035 section 2.3.4).
inline constexpr std::size_t kMaxHostName = 255;

// The host name in a client's extension; empty when the extension is malformed or has more than one
// name, or a name that no host can have. RFC 6066 section 3 defines host_name as the only type of
// name.
inline std::optional<std::string_view> decode_server_name(Bytes data) {
  wire::Reader outer(data);
  const Bytes list = outer.vector16();
  wire::Reader reader(list);
  const bool is_host = reader.u8() == kHostName;
  const Bytes name = reader.vector16();
  if (!outer.complete() || !reader.complete() || !is_host || name.empty()) return std::nullopt;
  if (name.size() > kMaxHostName) return std::nullopt;
  const std::string_view text(reinterpret_cast<const char*>(name.data()), name.size());
  if (text.find('\0') != text.npos) return std::nullopt;
  return text;
}

// The name has 1 to kMaxHostName bytes, none of them zero.
inline void put_server_name(wire::Writer& out, std::string_view name) {
  if (name.find('\0') != name.npos) return out.fail();
  put_extension(out, wire::ExtensionType::server_name, [&](wire::Writer& data) {
    const auto list = data.vector16();
    data.u8(kHostName);
    const auto entry = data.vector16({.min = 1, .max = kMaxHostName});
    data.bytes(std::as_bytes(std::span(name)));
  });
}

}  // namespace sluice::dtls::message
