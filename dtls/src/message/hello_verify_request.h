// HelloVerifyRequest (RFC 6347 section 4.2.1).
#pragma once

#include <optional>

#include <sluice/dtls/protocol.h>

#include "wire/reader.h"
#include "wire/types.h"

namespace sluice::dtls::message {

struct HelloVerifyRequest {
  static constexpr wire::HandshakeType kType = wire::HandshakeType::hello_verify_request;

  Bytes cookie;

  static std::optional<HelloVerifyRequest> decode(Bytes body) {
    wire::Reader reader(body);
    // The version is 1.0 whatever will be negotiated, and clients must not judge by it.
    reader.code<ProtocolVersion>();
    const HelloVerifyRequest request{reader.vector8()};
    if (!reader.complete()) return std::nullopt;
    return request;
  }
};

}  // namespace sluice::dtls::message
