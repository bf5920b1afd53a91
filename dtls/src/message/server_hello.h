// ServerHello (RFC 5246 section 7.4.1.3).
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include <sluice/dtls/protocol.h>

#include "message/extension_block.h"

namespace sluice::dtls::message {

struct ServerHello {
  static constexpr wire::HandshakeType kType = wire::HandshakeType::server_hello;

  ProtocolVersion version{};
  std::array<std::byte, 32> random{};
  Bytes session_id;
  CipherSuite cipher_suite{};
  std::uint8_t compression_method = 0;
  ExtensionBlock extensions;

  static std::optional<ServerHello> decode(Bytes body);
};

// SHA-256 of "HelloRetryRequest". A ServerHello with this random is a HelloRetryRequest (RFC 8446
// section 4.1.3).
extern const std::array<std::byte, 32> kHelloRetryRequestRandom;

// The last bytes of the random if a server that supports DTLS 1.3 negotiates DTLS 1.2, or a server
// that supports DTLS 1.2 an earlier version (RFC 8446 section 4.1.3).
extern const std::array<std::byte, 8> kDowngradeTo12;
extern const std::array<std::byte, 8> kDowngradeBelow12;

// Writes the body of a ServerHello. In DTLS 1.3 `session_id` is empty (RFC 9147 section 5.3).
template <class EncodeExtensions>
void put_server_hello(wire::Writer& out, const std::array<std::byte, 32>& random, Bytes session_id,
                      CipherSuite suite, EncodeExtensions&& encode_extensions) {
  out.code(ProtocolVersion::dtls12);
  out.bytes(random);
  {
    const auto vector = out.vector8({.max = wire::kMaxSessionId});
    out.bytes(session_id);
  }
  out.code(suite);
  out.u8(0);  // null compression
  const auto extensions = out.vector16();
  encode_extensions(out);
}

}  // namespace sluice::dtls::message
