// The two hellos, field by field: a test may put into them what no implementation would.
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
  // Throws when the body isn't one.
  static ClientHelloFields decode(dtls::Bytes body);
};

// A hello that offers DTLS 1.3 alone, with an X25519 share.
ClientHelloFields hello_fields13();

// How a hello travels.
struct HelloTransport {
  std::uint16_t message_seq = 0;
  std::uint64_t record = 0;          // the first one's number
  std::size_t max_fragment = 16384;  // bytes of the body in one datagram
};
std::vector<dtls::Buffer> datagrams_of(const ClientHelloFields& hello,
                                       const HelloTransport& transport = {});
// In one.
dtls::Buffer datagram_of(const ClientHelloFields& hello, const HelloTransport& transport = {});

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
