// Judges the peer's certificates: by their chain, by fingerprints or by a question.
#pragma once

#include <optional>

#include "connection/peer_gate.h"
#include "negotiation/context.h"

namespace sluice::dtls::connection {

// After each step of the handshake, which may have brought the peer's chain. Returns the question
// to be asked, if there is one. Errors: peer_rejected, and those of a chain that doesn't verify.
Result<std::optional<Event>> judge_chain(PeerGate& gate, handshake::Context& context, Role role);

}  // namespace sluice::dtls::connection
