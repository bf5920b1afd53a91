// The client_certificate_type and server_certificate_type extensions (RFC 7250 section 3).
#pragma once

#include <algorithm>
#include <optional>
#include <span>

#include <sluice/dtls/protocol.h>

#include "message/extension_block.h"

namespace sluice::dtls::message {

// The types that a peer accepts, of those that this engine has. Without an extension X.509 (RFC
// 8446 section 4.4.2).
struct CertificateTypeSet {
  bool x509 = true;
  bool raw_public_key = false;

  [[nodiscard]] bool has(CertificateType type) const {
    return type == CertificateType::x509 ? x509 : raw_public_key;
  }
  static CertificateTypeSet only(CertificateType type) {
    return {type == CertificateType::x509, type == CertificateType::raw_public_key};
  }
};

// A ClientHello's list, unknown types included; empty when malformed.
inline std::optional<Bytes> decode_certificate_types(Bytes data) {
  wire::Reader reader(data);
  const Bytes list = reader.vector8();
  return reader.complete() && !list.empty() ? std::optional(list) : std::nullopt;
}
// `list` of such an extension.
inline CertificateTypeSet set_of(Bytes list) {
  const auto has = [&](CertificateType type) {
    return std::ranges::find(list, std::byte{wire::value_of(type)}) != list.end();
  };
  return {has(CertificateType::x509), has(CertificateType::raw_public_key)};
}
inline void put_certificate_types(wire::Writer& out, wire::ExtensionType extension,
                                  std::span<const CertificateType> types) {
  put_extension(out, extension, [&](wire::Writer& data) {
    const auto list = data.vector8({.min = 1});
    for (const CertificateType type : types) data.code(type);
  });
}

// A server's choice; empty when malformed.
inline std::optional<CertificateType> decode_certificate_type(Bytes data) {
  wire::Reader reader(data);
  const auto type = reader.code<CertificateType>();
  return reader.complete() ? std::optional(type) : std::nullopt;
}
inline void put_certificate_type(wire::Writer& out, wire::ExtensionType extension,
                                 CertificateType type) {
  put_extension(out, extension, [&](wire::Writer& data) { data.code(type); });
}

}  // namespace sluice::dtls::message
