// Tickets of DTLS 1.3: from a session that is established to one that can be resumed (RFC 8446
// section 4.6.1).
#pragma once

#include "handshake13/session13.h"
#include "message/new_session_ticket13.h"
#include "negotiation/stored_session.h"

namespace sluice::dtls::handshake {

// A server's, ready to be sent.
struct IssuedTicket {
  std::chrono::seconds lifetime;
  std::uint32_t age_add;
  Buffer ticket;
  // What the ticket stands for, if the server has to keep it itself.
  std::optional<ResumableSession> to_store;
};
// The only ticket of a session that has a Resumption13.
Result<IssuedTicket> issue_ticket13(crypto::Library& library, const Session13& session,
                                    const ConfigOptions& config, Instant now);
void put_issued_ticket13(wire::Writer& out, const IssuedTicket& ticket);

// What a client keeps; empty when it isn't to be used at all.
Result<std::optional<ResumableSession>> take_ticket13(crypto::Library& library,
                                                      const Session13& session,
                                                      const message::NewSessionTicket13& message,
                                                      Instant now);

}  // namespace sluice::dtls::handshake
