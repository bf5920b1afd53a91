// The data about the peer that a handshake collects.
#pragma once

#include <span>
#include <vector>

#include "negotiation/peer_identity.h"

namespace sluice::dtls::handshake {

struct Peer {
  PeerIdentity identity = {};
  // The peer's certificates (DER) that have not been checked yet; the first is the peer's own. Or
  // its raw public key, as `identity` says.
  std::vector<Buffer> chain = {};
  // Whether the identity is that of the resumed session.
  bool is_resumed = false;
  // The policy under which this handshake accepts the peer; known when the handshake begins.
  PolicyId policy = {};

  // Takes the contents of the peer's Certificate message, which must not be empty.
  void take_chain(std::span<const Bytes> certificates, CertificateType type) {
    for (const Bytes entry : certificates) chain.emplace_back(entry.begin(), entry.end());
    identity = PeerIdentity::of_certificate(certificates.front(), type);
  }

  // Called at the end of the handshake.
  void conclude(Instant now) {
    if (is_resumed) return;
    identity.policy = policy;
    identity.authenticated_at = now;
  }
};

}  // namespace sluice::dtls::handshake
