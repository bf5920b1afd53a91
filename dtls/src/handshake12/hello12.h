// The hellos of DTLS 1.2, for any key exchange.
#pragma once

#include "handshake12/session12.h"
#include "message/server_hello.h"
#include "negotiation/selection.h"

namespace sluice::dtls::handshake {

// A client: checks a ServerHello that has chosen DTLS 1.2, and adds it to the transcript. Errors:
// illegal_parameter, unsupported_extension, decode_error, missing_extended_master_secret.
Result<Negotiated12> take_server_hello12(const schedule::Random& client_random,
                                         const message::ServerHello& hello,
                                         const flight::IncomingMessage& incoming, Context& context);

// A server: checks that do not depend on what it chooses.
Result<void> check_client_hello12(const ConfigOptions& config, const message::ClientHello& hello);
// A server: adds the ClientHello to the transcript and begins a flight with the ServerHello.
// Context::resumption12 determines the session ID and the ticket extension of the ServerHello.
Result<Negotiated12> send_server_hello12(const message::ClientHello& hello, const Choice12& choice,
                                         const flight::IncomingMessage& incoming, Context& context);

}  // namespace sluice::dtls::handshake
