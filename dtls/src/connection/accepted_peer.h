// The identity of the peer of an open connection, as long as that lives.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include <sluice/dtls/fingerprint.h>
#include <sluice/dtls/peer_info.h>

#include "negotiation/boxed.h"
#include "negotiation/peer_identity.h"

namespace sluice::dtls::connection {

// Of a certificate only fingerprints are kept, because most connections are open and silent most of
// the time, and there may be a million of them.
class AcceptedPeer {
 public:
  // Null for a peer without credentials. Errors: libcrypto_failure.
  static Result<std::unique_ptr<AcceptedPeer>> make(handshake::PeerIdentity identity,
                                                    crypto::Library& library);

  // Keeps the fingerprint by which the certificate was accepted, for later calls of matches().
  void keep(const std::optional<Fingerprint>& match);
  // Whether the strongest fingerprints announced contain one that was kept (RFC 8122 section 5.1).
  [[nodiscard]] bool matches(std::span<const Fingerprint> announced) const;
  [[nodiscard]] PeerInfo info() const;

 private:
  AcceptedPeer() = default;

  // What few peers have.
  struct Rest {
    Buffer psk_identity = {};
    std::optional<std::string> verified_name = {};
    std::optional<Fingerprint> match = {};  // by another hash than SHA-256
  };

  std::array<std::byte, 32> sha256_{};  // of the certificate
  Instant authenticated_at_{};
  SignatureScheme signature_scheme_{};
  PeerCredential credential_ = PeerCredential::none;
  handshake::Boxed<Rest> rest_;
};

}  // namespace sluice::dtls::connection
