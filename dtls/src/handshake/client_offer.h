// What a client offers: its ClientHello, of whatever versions the Config allows.
#pragma once

#include "handshake/context.h"
#include "schedule/keys12.h"

namespace sluice::dtls::handshake {

// Appends the ClientHello to the flight. The same random gives the same hello but for the cookie
// (RFC 6347 section 4.2.1).
Result<void> send_client_hello(Context& context, const schedule::Random& random, Bytes cookie);

// Whether the ClientHello had this extension, so that the server may answer it.
bool is_offered(const ConfigOptions& config, wire::ExtensionType type);

}  // namespace sluice::dtls::handshake
