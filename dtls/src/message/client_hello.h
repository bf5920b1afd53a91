// ClientHello, for all versions (RFC 6347 section 4.2.1, RFC 9147 section 5.3).
#pragma once

#include <array>
#include <optional>

#include <sluice/dtls/protocol.h>

#include "message/extension_block.h"
#include "wire/code_list.h"

namespace sluice::dtls::message {

// The members are views of the decoded message, or of the values to encode.
struct ClientHello {
  static constexpr wire::HandshakeType kType = wire::HandshakeType::client_hello;

  ProtocolVersion legacy_version{};
  std::array<std::byte, 32> random{};
  Bytes session_id;
  Bytes cookie;
  wire::CodeList<CipherSuite> cipher_suites;
  Bytes compression_methods;
  ExtensionBlock extensions;

  static std::optional<ClientHello> decode(Bytes body);
};

// Writes the body of a ClientHello; `encode_extensions` writes the extensions.
template <class Suites, class EncodeExtensions>
void put_client_hello(wire::Writer& out, const std::array<std::byte, 32>& random, Bytes session_id,
                      Bytes cookie, Suites&& suites, EncodeExtensions&& encode_extensions) {
  out.code(ProtocolVersion::dtls12);
  out.bytes(random);
  {
    const auto vector = out.vector8({.max = wire::kMaxSessionId});
    out.bytes(session_id);
  }
  {
    const auto vector = out.vector8();
    out.bytes(cookie);
  }
  {
    const auto vector = out.vector16({.min = 2});
    for (const CipherSuite suite : suites) out.code(suite);
  }
  out.u8(1);  // one compression method:
  out.u8(0);  // null
  const auto extensions = out.vector16();
  encode_extensions(out);
}

}  // namespace sluice::dtls::message
