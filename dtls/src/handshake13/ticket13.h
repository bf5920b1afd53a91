// Tickets of DTLS 1.3, which make an established session resumable (RFC 8446 section 4.6.1).
#pragma once

#include "handshake13/session13.h"
#include "message/new_session_ticket13.h"
#include "negotiation/stored_session.h"

namespace sluice::dtls::handshake {

// A server's ticket, ready to be sent.
struct IssuedTicket {
  std::chrono::seconds lifetime;
  std::uint32_t age_add;
  Buffer ticket;
  // The session for the store; empty with tickets that contain the session.
  std::optional<ResumableSession> to_store;
};
// Issues the one ticket of a session; Session13::resumption must not be null. Empty when the
// session cannot be kept, or the proof of the peer's identity is too old for another session.
Result<std::optional<IssuedTicket>> issue_ticket13(crypto::Library& library,
                                                   const Session13& session,
                                                   const ConfigOptions& config, Instant now);
void put_issued_ticket13(wire::Writer& out, const IssuedTicket& ticket);

// What a client can resume later; empty when it cannot or must not use the ticket.
Result<std::optional<ResumableSession>> take_ticket13(crypto::Library& library,
                                                      const Session13& session,
                                                      const message::NewSessionTicket13& message,
                                                      const ConfigOptions& config, Instant now);

}  // namespace sluice::dtls::handshake
