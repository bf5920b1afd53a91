// ServerKeyExchange for ECDHE (RFC 8422 section 5.4) and with a PSK (RFC 4279 section 2, RFC 5489
// section 2).
#pragma once

#include <optional>

#include <sluice/dtls/protocol.h>

#include "wire/reader.h"
#include "wire/types.h"
#include "wire/writer.h"

namespace sluice::dtls::message {

inline constexpr std::uint8_t kNamedCurve = 3;

struct ServerKeyExchange {
  static constexpr wire::HandshakeType kType = wire::HandshakeType::server_key_exchange;

  NamedGroup group{};
  Bytes point;
  Bytes params;  // the encoding of group and point, which the signature covers after the randoms
  SignatureScheme scheme{};
  Bytes signature;

  static std::optional<ServerKeyExchange> decode(Bytes body) {
    wire::Reader reader(body);
    ServerKeyExchange message;
    const bool named = reader.u8() == kNamedCurve;
    message.group = reader.code<NamedGroup>();
    message.point = reader.vector8();
    message.params = body.first(body.size() - reader.rest().size());
    message.scheme = reader.code<SignatureScheme>();
    message.signature = reader.vector16();
    if (!named || !reader.complete() || message.point.empty()) return std::nullopt;
    return message;
  }
};

// With a PSK nothing is signed: the PSK authenticates the exchange.
struct PskServerKeyExchange {
  static constexpr wire::HandshakeType kType = wire::HandshakeType::server_key_exchange;

  Bytes hint;  // helps the client to choose its identity; may be empty
  NamedGroup group{};
  Bytes point;  // empty without ECDHE

  static std::optional<PskServerKeyExchange> decode(Bytes body, bool with_point) {
    wire::Reader reader(body);
    PskServerKeyExchange message;
    message.hint = reader.vector16();
    if (!with_point) return reader.complete() ? std::optional(message) : std::nullopt;
    const bool named = reader.u8() == kNamedCurve;
    message.group = reader.code<NamedGroup>();
    message.point = reader.vector8();
    if (!named || !reader.complete() || message.point.empty()) return std::nullopt;
    return message;
  }
};

inline void put_psk_identity_hint(wire::Writer& out, Bytes hint) {
  const auto vector = out.vector16();
  out.bytes(hint);
}

inline void put_ecdh_params(wire::Writer& out, NamedGroup group, Bytes point) {
  out.u8(kNamedCurve);
  out.code(group);
  const auto vector = out.vector8({.min = 1});
  out.bytes(point);
}

}  // namespace sluice::dtls::message
