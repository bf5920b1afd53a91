// The hellos of DTLS 1.2, whatever key exchange follows them.
#pragma once

#include "message/server_hello.h"
#include "negotiation/selection.h"

namespace sluice::dtls::handshake {

// A client's: takes the ServerHello, which has chosen DTLS 1.2, into the transcript. Errors: of
// what it must not choose or say.
Result<Negotiated12> take_server_hello12(const schedule::Random& client_random,
                                         const message::ServerHello& hello,
                                         const flight::IncomingMessage& incoming, Context& context);

// A server's: what the hello must have whatever is chosen from its lists.
Result<void> check_client_hello12(const ConfigOptions& config, const message::ClientHello& hello);
// Takes the ClientHello into the transcript and begins a flight with the ServerHello, which also
// says what the context knows of resumption.
Result<Negotiated12> send_server_hello12(const message::ClientHello& hello, const Choice12& choice,
                                         const flight::IncomingMessage& incoming, Context& context);

}  // namespace sluice::dtls::handshake
