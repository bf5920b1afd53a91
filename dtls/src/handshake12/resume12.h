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
// Whatever stands against it, a full handshake follows; only where RFC 7627 section 5.3 says so is
// there none at all.
#pragma once

#include "handshake12/client12.h"
#include "handshake12/server12.h"
#include "message/server_hello.h"
#include "negotiation/client_offer.h"
#include "negotiation/stored_session.h"

namespace sluice::dtls::handshake {

// ---- a client's side

// Adds the session to what is offered, if it may and can be resumed.
Result<void> offer_session12(Context& context, const std::optional<ResumableSession>& session,
                             Offer& offer);
// Whether the server goes on with it.
bool is_resumed12(const Offer& offer, const message::ServerHello& hello);
// From behind such a ServerHello. Errors: illegal_parameter for another cipher suite;
// missing_extended_master_secret.
Result<client12::AfterFlight> resume12(Context& context, const Offer& offer,
                                       Negotiated12 negotiated);

// ---- a server's side

// A session that the client has named.
struct ResumedSession12 {
  ResumableSession session;
  bool is_ticket_old = false;  // so that the client is to get another
};
// By its ticket.
Result<std::optional<ResumedSession12>> find_session12(Context& context,
                                                       const message::ClientHello& hello);
// By its session ID, where the caller has a store; empty when there is nothing to ask.
std::optional<SessionRequested> session_question12(const ConfigOptions& config,
                                                   const message::ClientHello& hello);
// Whether the hello may go on with it. Errors: missing_extended_master_secret.
Result<bool> is_resumable_with12(const Context& context, const message::ClientHello& hello,
                                 const StoredSession& session);
// Sends the flight of the server.
Result<server12::WaitFinished> resume12(Context& context, const message::ClientHello& hello,
                                        const ResumedSession12& known,
                                        const flight::IncomingMessage& incoming);

}  // namespace sluice::dtls::handshake
