// The choice of a Config by the ClientHello (ConfigRequested).
#pragma once

#include <optional>

#include <sluice/dtls/config.h>
#include <sluice/dtls/event.h>

#include "flight/reassembler.h"

namespace sluice::dtls::handshake {

// What the caller is asked about this message; empty if it is no ClientHello, or is malformed.
std::optional<ConfigRequested> config_question(const flight::IncomingMessage& message);

// Whether a connection that was made with the Config `asking` may go on with `chosen`, which must
// have all that a server needs: what the connection has used already must be equal. Errors:
// invalid_config.
Result<void> check_chosen_config(const ConfigOptions& asking, const ConfigOptions& chosen);

}  // namespace sluice::dtls::handshake
