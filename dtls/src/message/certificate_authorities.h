// Distinguished names (DER) of certificate authorities: certificate_authorities (RFC 8446 section
// 4.2.4), and a field of TLS 1.2's CertificateRequest (RFC 5246 section 7.4.4).
#pragma once

#include <optional>
#include <vector>

#include <sluice/dtls/bytes.h>

#include "wire/reader.h"
#include "wire/writer.h"

namespace sluice::dtls::message {

// Views of the names in the list; empty when malformed.
inline std::optional<std::vector<Bytes>> decode_authorities(Bytes list) {
  std::vector<Bytes> names;
  wire::Reader reader(list);
  while (reader.more()) {
    const Bytes name = reader.vector16();
    if (!reader.ok() || name.empty()) return std::nullopt;
    names.push_back(name);
  }
  return names;
}

// Writes the list, preceded by its length.
inline void put_authorities(wire::Writer& out, const std::vector<Buffer>& names) {
  const auto list = out.vector16();
  for (const Buffer& name : names) {
    const auto entry = out.vector16({.min = 1});
    out.bytes(name);
  }
}

}  // namespace sluice::dtls::message
