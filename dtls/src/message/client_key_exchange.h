// ClientKeyExchange for ECDHE (RFC 8422 section 5.7) and with a PSK (RFC 4279 section 2, RFC 5489
// section 2).
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
  const auto vector = out.vector8({.min = 1});
  out.bytes(point);
}

struct PskClientKeyExchange {
  static constexpr wire::HandshakeType kType = wire::HandshakeType::client_key_exchange;

  Bytes identity;
  Bytes point;  // empty without ECDHE

  // `with_point`: whether the suite uses ECDHE. The message itself does not show this.
  static std::optional<PskClientKeyExchange> decode(Bytes body, bool with_point) {
    wire::Reader reader(body);
    PskClientKeyExchange message{reader.vector16(), {}};
    if (with_point) message.point = reader.vector8();
    if (!reader.complete() || (with_point && message.point.empty())) return std::nullopt;
    return message;
  }
};

inline void put_psk_client_key_exchange(wire::Writer& out, Bytes identity, Bytes point) {
  {
    const auto vector = out.vector16();
    out.bytes(identity);
  }
  if (!point.empty()) put_client_key_exchange(out, point);
}

}  // namespace sluice::dtls::message
