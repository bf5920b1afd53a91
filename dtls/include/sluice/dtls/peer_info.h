// Who the peer of a connection is, and how it has proved that.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/clock.h>
#include <sluice/dtls/protocol.h>

namespace sluice::dtls {

// What the peer has proved its identity with.
enum class PeerCredential : std::uint8_t {
  none,            // a server's client sent no certificate
  certificate,     // and a signature by its key
  psk,             // an external pre-shared key
  raw_public_key,  // RFC 7250, and a signature by it
};

// Which kind of pre-shared key a handshake uses (RFC 8446 section 2.2).
enum class PskKind : std::uint8_t { external, resumption };

// The peer's identity. A resumed connection has the identity that the first handshake of its
// session established.
struct PeerInfo {
  PeerCredential credential = PeerCredential::none;
  // The peer's own certificate or, with PeerCredential::raw_public_key, the SubjectPublicKeyInfo of
  // its key (DER). The events and a ResumableSession have it; Connection::info() has its
  // fingerprint only, because a connection does not keep the certificate.
  Buffer certificate = {};
  // The SHA-256 of `certificate`, 32 bytes; empty without one.
  Buffer certificate_fingerprint = {};
  // The scheme of the peer's handshake signature; empty without a certificate or raw public key.
  std::optional<SignatureScheme> signature_scheme = {};
  // The name for which the certificate's chain was verified; empty for a client's certificate,
  // which is verified for no name. Without a value the chain was not verified.
  std::optional<std::string> verified_name = {};
  // The external PSK's identity as it was on the wire, up to 65535 bytes.
  Buffer psk_identity = {};
  // When the handshake was complete in which the peer proved its identity, on the clock of the
  // connection.
  Instant authenticated_at{};
};

}  // namespace sluice::dtls
