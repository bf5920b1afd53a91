// What a Config wants of the peer's certificate.
#pragma once

#include <sluice/dtls/config.h>

namespace sluice::dtls::handshake {

// A server does, of its clients.
inline bool asks_for_certificate(const ConfigOptions& config) {
  return config.peer_authentication != PeerAuthentication::none;
}

// Whether a client must have one.
inline bool requires_certificate(const ConfigOptions& config) {
  return config.peer_authentication == PeerAuthentication::require ||
         config.peer_authentication == PeerAuthentication::require_and_verify;
}

inline bool verifies_chain(const ConfigOptions& config) {
  return config.peer_authentication == PeerAuthentication::require_and_verify ||
         config.peer_authentication == PeerAuthentication::verify_if_given;
}

// That a server's certificate must be for.
inline const std::string& expected_name(const ConfigOptions& config) {
  return config.peer_name.empty() ? config.server_name : config.peer_name;
}

inline const std::vector<SignatureScheme>& certificate_schemes(const ConfigOptions& config) {
  return config.certificate_signature_schemes.empty() ? config.signature_schemes
                                                      : config.certificate_signature_schemes;
}

// Whether a suite with certificates is of use to this side.
inline bool uses_certificates(const ConfigOptions& config) {
  const bool has_psk = !config.pre_shared_keys.empty() || config.ask_for_psk;
  return !config.identities.empty() || config.ask_for_identity || config.trust_store || !has_psk;
}

}  // namespace sluice::dtls::handshake
