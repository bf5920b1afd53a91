// What a Config requires of the peer's certificate.
#pragma once

#include <sluice/dtls/config.h>

#include "crypto/trust_anchors.h"

namespace sluice::dtls::handshake {

// Whether a server sends CertificateRequest.
inline bool asks_for_certificate(const ConfigOptions& config) {
  return config.peer_authentication != PeerAuthentication::none;
}

// Whether a server refuses clients without a certificate.
inline bool requires_certificate(const ConfigOptions& config) {
  return config.peer_authentication == PeerAuthentication::require ||
         config.peer_authentication == PeerAuthentication::require_and_verify;
}

inline bool verifies_chain(const ConfigOptions& config) {
  return config.peer_authentication == PeerAuthentication::require_and_verify ||
         config.peer_authentication == PeerAuthentication::verify_if_given;
}

// The name that the server's certificate must be valid for.
inline const std::string& expected_name(const ConfigOptions& config) {
  return config.peer_name.empty() ? config.server_name : config.peer_name;
}

inline const std::vector<SignatureScheme>& certificate_schemes(const ConfigOptions& config) {
  return config.certificate_signature_schemes.empty() ? config.signature_schemes
                                                      : config.certificate_signature_schemes;
}

// The distinguished names (DER) in a server's certificate_authorities.
inline const std::vector<Buffer>& announced_authorities(const ConfigOptions& config) {
  static const std::vector<Buffer> kNone;
  return config.announce_authorities ? config.trust_store->anchors().names() : kNone;
}

}  // namespace sluice::dtls::handshake
