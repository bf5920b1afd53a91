// Certificate of TLS 1.3 (RFC 8446 section 4.4.2).
#pragma once

#include <optional>
#include <vector>

#include "wire/reader.h"
#include "wire/types.h"
#include "wire/writer.h"

namespace sluice::dtls::message {

struct Certificate13 {
  static constexpr wire::HandshakeType kType = wire::HandshakeType::certificate;

  Bytes context;             // empty in a handshake
  std::vector<Bytes> chain;  // DER; empty if a client has no certificate
  bool has_extensions = false;

  static std::optional<Certificate13> decode(Bytes body);
};

// Writes entries without extensions.
void put_certificate13(wire::Writer& out, const std::vector<Buffer>& chain);

}  // namespace sluice::dtls::message
