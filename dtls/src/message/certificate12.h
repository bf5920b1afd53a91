// Certificate of TLS 1.2 (RFC 5246 sections 7.4.2 and 7.4.6, RFC 7250 section 3).
#pragma once

#include <optional>
#include <vector>

#include "wire/reader.h"
#include "wire/types.h"
#include "wire/writer.h"

namespace sluice::dtls::message {

struct Certificate12 {
  static constexpr wire::HandshakeType kType = wire::HandshakeType::certificate;

  std::vector<Bytes> chain;  // DER; empty if a client has no certificate

  static std::optional<Certificate12> decode(Bytes body);
};

// The message where CertificateType::raw_public_key was negotiated.
struct RawPublicKey12 {
  static constexpr wire::HandshakeType kType = wire::HandshakeType::certificate;

  Bytes info;  // SubjectPublicKeyInfo (DER); empty if a client has no key

  static std::optional<RawPublicKey12> decode(Bytes body);
};

// At most wire::kMaxChain certificates, none empty.
void put_certificate12(wire::Writer& out, const std::vector<Buffer>& chain);
void put_raw_public_key12(wire::Writer& out, Bytes info);

}  // namespace sluice::dtls::message
