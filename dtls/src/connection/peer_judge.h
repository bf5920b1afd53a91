// Checks the peer's certificates by their chain, by fingerprints or by a question to the caller.
#pragma once

#include <optional>

#include "connection/peer_gate.h"
#include "negotiation/context.h"

namespace sluice::dtls::connection {

// Checks the peer's chain if it has arrived; called after each step of the handshake. Returns the
// question to ask, if there is one. Errors: peer_rejected, and those of chain verification.
Result<std::optional<Event>> judge_chain(PeerGate& gate, handshake::Context& context, Role role);

}  // namespace sluice::dtls::connection
