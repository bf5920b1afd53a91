// CertificateRequest of TLS 1.2 (RFC 5246 section 7.4.4).
#pragma once

#include <algorithm>
#include <optional>

#include <sluice/dtls/protocol.h>

#include "message/certificate_authorities.h"
#include "wire/code_list.h"
#include "wire/reader.h"
#include "wire/types.h"
#include "wire/writer.h"

namespace sluice::dtls::message {

enum class ClientCertificateType : std::uint8_t { rsa_sign = 1, ecdsa_sign = 64 };

struct CertificateRequest12 {
  static constexpr wire::HandshakeType kType = wire::HandshakeType::certificate_request;

  Bytes types;
  wire::CodeList<SignatureScheme> schemes;
  std::vector<Bytes> authorities;

  static std::optional<CertificateRequest12> decode(Bytes body) {
    wire::Reader reader(body);
    CertificateRequest12 request;
    request.types = reader.vector8();
    const Bytes schemes = reader.vector16();
    auto authorities = decode_authorities(reader.vector16());
    if (!reader.complete() || request.types.empty() || schemes.empty() || schemes.size() % 2 != 0 ||
        !authorities) {
      return std::nullopt;
    }
    request.authorities = std::move(*authorities);
    request.schemes = wire::CodeList<SignatureScheme>(schemes);
    return request;
  }

  [[nodiscard]] bool accepts(ClientCertificateType type) const {
    return std::ranges::find(types, static_cast<std::byte>(type)) != types.end();
  }
};

template <class Schemes>
void put_certificate_request12(wire::Writer& out, const Schemes& schemes,
                               const std::vector<Buffer>& authorities = {}) {
  {
    const auto types = out.vector8();
    out.code(ClientCertificateType::ecdsa_sign);
    out.code(ClientCertificateType::rsa_sign);
  }
  {
    const auto list = out.vector16({.min = 2});
    for (const SignatureScheme scheme : schemes) out.code(scheme);
  }
  put_authorities(out, authorities);
}

}  // namespace sluice::dtls::message
