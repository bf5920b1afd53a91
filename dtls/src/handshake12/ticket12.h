// Makes a DTLS 1.2 session resumable: by its session ID (RFC 5246 section 7.4.1.3) or by a ticket
// (RFC 5077). Sessions without an extended master secret are not resumed (RFC 7627 section 5.3).
#pragma once

#include "handshake12/session12.h"
#include "message/client_hello.h"
#include "message/server_hello.h"
#include "negotiation/stored_session.h"

namespace sluice::dtls::handshake {

// ---- a server's side

// Decides what the ServerHello of a new session announces: a session ID, or that a ticket follows.
Result<void> announce_session12(Context& context, const message::ClientHello& hello);
// Sends NewSessionTicket for the new or the resumed session.
Result<void> send_ticket12(Context& context, const Session12& session);

// ---- a client's side

// Reads the announcement in the ServerHello. Errors: decode_error.
Result<void> take_announcement12(Context& context, const message::ServerHello& hello);
// Reads NewSessionTicket.
Result<void> take_ticket12(Context& context, const flight::IncomingMessage& incoming);

// ---- both

// At the end of the handshake: adds SessionReceived or SessionToStore to Resumption12::events.
void keep_session12(Context& context, const Session12& session, Role role);

}  // namespace sluice::dtls::handshake
