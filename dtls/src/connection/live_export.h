// From an open connection to the form in which it moves.
#pragma once

#include "connection/live_session.h"
#include "connection/phase.h"
#include "connection/shared.h"

namespace sluice::dtls::connection {

// `phase` must be open. Errors: invalid_argument (a tag that is too long), libcrypto_failure.
Result<LiveSession> live_session_of(const Shared& shared, Phase& phase,
                                    const ExportOptions& options);

// Of an open phase, whose records these are.
record::HandshakeProgress handshake_progress(const Phase& phase,
                                             const record::RecordLayer& records);

}  // namespace sluice::dtls::connection
