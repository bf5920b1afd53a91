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

// Without a session ID.
template <class EncodeExtensions>
void put_server_hello(wire::Writer& out, const std::array<std::byte, 32>& random, CipherSuite suite,
                      EncodeExtensions&& encode_extensions) {
  out.code(ProtocolVersion::dtls12);
  out.bytes(random);
  out.u8(0);
  out.code(suite);
  out.u8(0);  // null compression
  const auto extensions = out.vector16();
  encode_extensions(out);
}

}  // namespace sluice::dtls::message
