// ClientKeyExchange for ECDHE (RFC 8422 section 5.7).
#pragma once

#include <optional>

#include "wire/reader.h"
#include "wire/types.h"
#include "wire/writer.h"

namespace sluice::dtls::message {

struct ClientKeyExchange {
  static constexpr wire::HandshakeType kType = wire::HandshakeType::client_key_exchange;

  Bytes point;

  static std::optional<ClientKeyExchange> decode(Bytes body) {
    wire::Reader reader(body);
    const ClientKeyExchange message{reader.vector8()};
    if (!reader.complete() || message.point.empty()) return std::nullopt;
    return message;
  }
};

inline void put_client_key_exchange(wire::Writer& out, Bytes point) {
  const auto vector = out.vector8();
  out.bytes(point);
}

}  // namespace sluice::dtls::message
