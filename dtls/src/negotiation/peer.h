// What a handshake knows of its peer.
#pragma once

#include <span>
#include <vector>

#include "negotiation/peer_identity.h"

namespace sluice::dtls::handshake {

struct Peer {
  PeerIdentity identity = {};
  // The certificates (DER) that nobody has judged yet, the peer's own first.
  std::vector<Buffer> chain = {};
  // The identity is that of the session that is resumed.
  bool is_resumed = false;

  // The chain of the peer's Certificate; not empty.
  void take_chain(std::span<const Bytes> certificates) {
    for (const Bytes entry : certificates) chain.emplace_back(entry.begin(), entry.end());
    identity = PeerIdentity::of_certificate(certificates.front());
  }

  // At the end of the handshake.
  void conclude(PolicyId policy, Instant now) {
    if (is_resumed) return;
    identity.policy = policy;
    identity.authenticated_at = now;
  }
};

}  // namespace sluice::dtls::handshake
