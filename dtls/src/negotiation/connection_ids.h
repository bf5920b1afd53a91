// The connection IDs that this side asks its peers for (RFC 9146 section 3).
#pragma once

#include <sluice/dtls/connection_id.h>

#include "negotiation/context.h"

namespace sluice::dtls::handshake {

// A source that does not make IDs of the size in the Config cannot be used. Null: random IDs of any
// size. Errors: invalid_config.
Result<void> check_source(const ConfigOptions& config, const ConnectionIdSource* source);

// An ID of this size from the source; null: random bytes. Errors: those of the source,
// libcrypto_failure.
Result<ConnectionId> make_connection_id(crypto::Library& library, std::size_t size,
                                        ConnectionIdSource* source);
// An ID of the size in the Config; empty if that has none, or 0.
Result<ConnectionId> make_connection_id(const Context& context);

}  // namespace sluice::dtls::handshake
