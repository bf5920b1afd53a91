// CertificateVerify, and the digitally-signed element (RFC 5246 section 4.7), which also ends
// ServerKeyExchange.
#pragma once

#include <optional>

#include <sluice/dtls/protocol.h>

#include "wire/reader.h"
#include "wire/types.h"
#include "wire/writer.h"

namespace sluice::dtls::message {

struct CertificateVerify {
  static constexpr wire::HandshakeType kType = wire::HandshakeType::certificate_verify;

  SignatureScheme scheme{};
  Bytes signature;

  static std::optional<CertificateVerify> decode(Bytes body) {
    wire::Reader reader(body);
    CertificateVerify verify;
    verify.scheme = reader.code<SignatureScheme>();
    verify.signature = reader.vector16();
    if (!reader.complete()) return std::nullopt;
    return verify;
  }
};

inline void put_digital_signature(wire::Writer& out, SignatureScheme scheme, Bytes signature) {
  out.code(scheme);
  const auto vector = out.vector16();
  out.bytes(signature);
}

}  // namespace sluice::dtls::message
