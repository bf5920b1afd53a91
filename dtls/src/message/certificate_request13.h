// CertificateRequest of TLS 1.3 (RFC 8446 section 4.3.2).
#pragma once

#include <optional>

#include <sluice/dtls/protocol.h>

#include "message/certificate_authorities.h"
#include "message/code_list_extension.h"

namespace sluice::dtls::message {

struct CertificateRequest13 {
  static constexpr wire::HandshakeType kType = wire::HandshakeType::certificate_request;

  Bytes context;  // empty in a handshake
  ExtensionBlock extensions;

  static std::optional<CertificateRequest13> decode(Bytes body) {
    wire::Reader reader(body);
    CertificateRequest13 request;
    request.context = reader.vector8();
    const Bytes extensions = reader.vector16();
    if (!reader.complete()) return std::nullopt;
    const auto block = ExtensionBlock::parse(extensions);
    if (!block) return std::nullopt;
    request.extensions = *block;
    return request;
  }
};

// Writes the body of the message. `schemes` must not be empty; the extensions of the other lists
// are omitted if the lists are empty.
template <class Schemes>
void put_certificate_request13(wire::Writer& out, const Schemes& schemes,
                               const Schemes& chain_schemes = {},
                               const std::vector<Buffer>& authorities = {}) {
  out.u8(0);
  const auto extensions = out.vector16();
  put_code_list_extension(out, wire::ExtensionType::signature_algorithms, schemes);
  if (!chain_schemes.empty()) {
    put_code_list_extension(out, wire::ExtensionType::signature_algorithms_cert, chain_schemes);
  }
  if (!authorities.empty()) {
    put_extension(out, wire::ExtensionType::certificate_authorities,
                  [&](wire::Writer& data) { put_authorities(data, authorities); });
  }
}

}  // namespace sluice::dtls::message
