// What a handshake can't go on without.
#pragma once

#include <variant>

#include <sluice/dtls/event.h>

namespace sluice::dtls::handshake {

// The event that asks, but for its QuestionId. One handshake asks at most one of each kind.
using Question =
    std::variant<PskRequested, SessionRequested, IdentityRequested, SignatureRequested>;

}  // namespace sluice::dtls::handshake
