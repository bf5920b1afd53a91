// The abbreviated handshake of DTLS 1.2, for both roles (RFC 5246 section 7.3, figure 2; RFC 5077
// section 3.1, figure 2):
//
//   Client                                          Server
//   ClientHello             -------->
//                                              ServerHello
//                                       [NewSessionTicket]
//                                         ChangeCipherSpec
//                           <--------             Finished
//   ChangeCipherSpec
//   Finished                -------->
//
// If the session cannot be resumed, a full handshake follows. RFC 7627 section 5.3 lists the cases
// in which the handshake fails instead.
#pragma once

#include "handshake12/client12.h"
#include "handshake12/server12.h"
#include "message/server_hello.h"
#include "negotiation/client_offer.h"
#include "negotiation/stored_session.h"

namespace sluice::dtls::handshake {

// ---- a client's side

// Adds the session to the offer if the Config allows it to be resumed.
Result<void> offer_session12(Context& context, const std::optional<ResumableSession>& session,
                             Offer& offer);
// Whether the server resumes the session.
bool is_resumed12(const Offer& offer, const message::ServerHello& hello);
// Continues after such a ServerHello. Errors: illegal_parameter for another cipher suite;
// missing_extended_master_secret.
Result<client12::AfterFlight> resume12(Context& context, const Offer& offer,
                                       Negotiated12 negotiated);

// ---- a server's side

// The session that a ClientHello names.
struct ResumedSession12 {
  ResumableSession session;
  bool is_ticket_old = false;  // the client gets a new ticket
};
// Finds the session of the ticket.
Result<std::optional<ResumedSession12>> find_session12(Context& context,
                                                       const message::ClientHello& hello);
// The question for the session of the session ID, if the caller has a store; empty when there is
// nothing to ask.
std::optional<SessionRequested> session_question12(const ConfigOptions& config,
                                                   const message::ClientHello& hello);
// Whether this hello may resume the session. Errors: missing_extended_master_secret.
Result<bool> is_resumable_with12(const Context& context, const message::ClientHello& hello,
                                 const StoredSession& session);
// Sends the server's flight.
Result<server12::WaitFinished> resume12(Context& context, const message::ClientHello& hello,
                                        const ResumedSession12& known,
                                        const flight::IncomingMessage& incoming);

}  // namespace sluice::dtls::handshake
