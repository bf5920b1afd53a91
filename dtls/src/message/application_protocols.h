// The application_layer_protocol_negotiation extension (RFC 7301 section 3.1).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "message/extension_block.h"

namespace sluice::dtls::message {

// Views of the protocol names; empty when the extension is malformed, lists nothing or has an empty
// name.
inline std::optional<std::vector<std::string_view>> decode_application_protocols(Bytes data) {
  wire::Reader outer(data);
  const Bytes list = outer.vector16();
  if (!outer.complete() || list.empty()) return std::nullopt;
  std::vector<std::string_view> names;
  wire::Reader reader(list);
  while (reader.more()) {
    const Bytes name = reader.vector8();
    if (!reader.ok() || name.empty()) return std::nullopt;
    names.emplace_back(reinterpret_cast<const char*>(name.data()), name.size());
  }
  return names;
}

// One or more names, each of 1 to 255 bytes.
template <class Names>
void put_application_protocols(wire::Writer& out, const Names& names) {
  put_extension(out, wire::ExtensionType::application_layer_protocol_negotiation,
                [&](wire::Writer& data) {
                  const auto list = data.vector16({.min = 2});
                  for (const std::string& name : names) {
                    const auto entry = data.vector8({.min = 1});
                    data.bytes(std::as_bytes(std::span(name)));
                  }
                });
}

}  // namespace sluice::dtls::message
