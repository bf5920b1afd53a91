// From a DTLS 1.2 session that is established to one that can be resumed: by its session ID (RFC
// 5246 section 7.4.1.3) or by a ticket (RFC 5077). Without an extended master secret none is (RFC
// 7627 section 5.3).
#pragma once

#include "handshake12/session12.h"
#include "message/client_hello.h"
#include "message/server_hello.h"
#include "negotiation/stored_session.h"

namespace sluice::dtls::handshake {

// ---- a server's side

// What the ServerHello of a new session is to say: a session ID, or that a ticket follows.
Result<void> announce_session12(Context& context, const message::ClientHello& hello);
// NewSessionTicket, of the new session or of the one that is resumed.
Result<void> send_ticket12(Context& context, const Session12& session);

// ---- a client's side

// What the ServerHello says of it. Errors: decode_error.
Result<void> take_promise12(Context& context, const message::ServerHello& hello);
// NewSessionTicket.
Result<void> take_ticket12(Context& context, const flight::IncomingMessage& incoming);

// ---- both

// At the end of the handshake: what the caller is told.
void keep_session12(Context& context, const Session12& session, Role role);

}  // namespace sluice::dtls::handshake
