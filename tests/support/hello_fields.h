// The two hellos of DTLS 1.2, field by field: a test may put into them what no implementation
// would.
#pragma once

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/protocol.h>

#include <array>
#include <vector>

#include "wire/types.h"

namespace sluice::test {

struct Extension {
  dtls::wire::ExtensionType type;
  dtls::Buffer data;
};

// In the order of the wire; nothing keeps a type from standing in it twice.
class Extensions : public std::vector<Extension> {
 public:
  using std::vector<Extension>::vector;
  // Replaces the data of the first of this type, or appends one.
  void set(dtls::wire::ExtensionType type, dtls::Buffer data);
  void remove(dtls::wire::ExtensionType type);
  [[nodiscard]] bool has(dtls::wire::ExtensionType type) const;
};

// RFC 6347 section 4.2.1. By default what a WebRTC client says.
struct ClientHelloFields {
  ClientHelloFields();

  dtls::ProtocolVersion version = dtls::ProtocolVersion::dtls12;
  std::array<std::byte, 32> random;
  dtls::Buffer session_id;
  dtls::Buffer cookie;
  std::vector<dtls::CipherSuite> suites;
  dtls::Buffer compression_methods = {std::byte{0}};
  Extensions extensions;

  [[nodiscard]] dtls::Buffer encode() const;
};

// RFC 5246 section 7.4.1.3. By default what a WebRTC server answers.
struct ServerHelloFields {
  ServerHelloFields();

  dtls::ProtocolVersion version = dtls::ProtocolVersion::dtls12;
  std::array<std::byte, 32> random;
  dtls::Buffer session_id;
  dtls::CipherSuite suite = dtls::CipherSuite::ecdhe_ecdsa_with_aes_128_gcm_sha256;
  std::uint8_t compression_method = 0;
  Extensions extensions;

  [[nodiscard]] dtls::Buffer encode() const;
};

}  // namespace sluice::test
