// The key_share extension (RFC 8446 section 4.2.8).
#pragma once

#include <optional>

#include <sluice/dtls/protocol.h>

#include "message/extension_block.h"

namespace sluice::dtls::message {

struct KeyShareEntry {
  NamedGroup group{};
  Bytes key_exchange;
};

// A client's list of shares. An empty list requests a HelloRetryRequest.
class ClientShares {
 public:
  // Empty when malformed, when a group occurs twice, or when there are more than 64 shares.
  static std::optional<ClientShares> decode(Bytes data);

  [[nodiscard]] std::optional<Bytes> find(NamedGroup group) const;
  [[nodiscard]] std::size_t count() const;

 private:
  explicit ClientShares(Bytes list) : list_(list) {}
  Bytes list_;
};

// The server's share in a ServerHello.
inline std::optional<KeyShareEntry> decode_server_share(Bytes data) {
  wire::Reader reader(data);
  KeyShareEntry entry;
  entry.group = reader.code<NamedGroup>();
  entry.key_exchange = reader.vector16();
  if (!reader.complete() || entry.key_exchange.empty()) return std::nullopt;
  return entry;
}

// The group in a HelloRetryRequest.
inline std::optional<NamedGroup> decode_selected_group(Bytes data) {
  wire::Reader reader(data);
  const auto group = reader.code<NamedGroup>();
  return reader.complete() ? std::optional(group) : std::nullopt;
}

inline void put_share(wire::Writer& out, const KeyShareEntry& entry) {
  out.code(entry.group);
  const auto vector = out.vector16({.min = 1});
  out.bytes(entry.key_exchange);
}

}  // namespace sluice::dtls::message
