// HelloVerifyRequest (RFC 6347 section 4.2.1).
#pragma once

#include <optional>

#include <sluice/dtls/protocol.h>

#include "wire/reader.h"
#include "wire/types.h"
#include "wire/writer.h"

namespace sluice::dtls::message {

struct HelloVerifyRequest {
  static constexpr wire::HandshakeType kType = wire::HandshakeType::hello_verify_request;

  Bytes cookie;

  static std::optional<HelloVerifyRequest> decode(Bytes body) {
    wire::Reader reader(body);
    // The version is always 1.0 and does not limit the negotiation.
    reader.code<ProtocolVersion>();
    const HelloVerifyRequest request{reader.vector8()};
    if (!reader.complete()) return std::nullopt;
    return request;
  }
};

// Writes the version 1.0, whichever version is negotiated later (RFC 6347 section 4.2.1).
inline void put_hello_verify_request(wire::Writer& out, Bytes cookie) {
  out.code(ProtocolVersion::dtls10);
  const auto vector = out.vector8();
  out.bytes(cookie);
}

}  // namespace sluice::dtls::message
