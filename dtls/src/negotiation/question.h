// Questions to the caller that a handshake waits for.
#pragma once

#include <variant>

#include <sluice/dtls/event.h>

namespace sluice::dtls::handshake {

// The event, without its QuestionId. One handshake asks each kind of question at most once.
using Question = std::variant<PskRequested, SessionRequested, IdentityRequested, SignatureRequested,
                              ConfigRequested>;

}  // namespace sluice::dtls::handshake
