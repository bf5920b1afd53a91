// CertificateRequest of TLS 1.3 (RFC 8446 section 4.3.2).
#pragma once

#include <optional>

#include <sluice/dtls/protocol.h>

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

template <class Schemes>
void put_certificate_request13(wire::Writer& out, const Schemes& schemes) {
  out.u8(0);
  const auto extensions = out.vector16();
  put_code_list_extension(out, wire::ExtensionType::signature_algorithms, schemes);
}

}  // namespace sluice::dtls::message
