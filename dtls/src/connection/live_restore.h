// From the form in which a session moves to an open connection.
#pragma once

#include "connection/live_session.h"
#include "connection/phase.h"
#include "connection/shared.h"

namespace sluice::dtls::connection {

// `ids`, here and below: the source of new ones; null: random ones.
// Whether the Config allows the session as if it began now. Errors: as Connection::restore().
Result<void> check_restorable(const LiveSession& session, const ConfigOptions& config,
                              crypto::Library& library, const ConnectionIdSource* ids, Instant now);
// The open phase, and a record layer without ciphers. Call check_restorable() before. Errors:
// libcrypto_failure; invalid_config where the Config's limits are too small for what the session
// has kept; others for messages that no peer sends.
Result<Phase> restored_phase(const Shared& shared, LiveSession session, ConnectionIdSource* ids,
                             Instant now);

}  // namespace sluice::dtls::connection
