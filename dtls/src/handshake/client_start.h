// A client until the ServerHello selects the version. One ClientHello offers DTLS 1.2 and 1.3.
//
//   Client                                          Server
//   ClientHello             -------->
//                           <--------   HelloVerifyRequest (1.2, at most kMaxVerifyRequests times)
//                           <--------    HelloRetryRequest (1.3, once)
//   ClientHello             -------->
//                           <--------          ServerHello
#pragma once

#include <variant>

#include "handshake12/client12.h"
#include "handshake12/client_psk12.h"
#include "handshake13/client13.h"
#include "negotiation/client_offer.h"

namespace sluice::dtls::handshake::client_start {

inline constexpr unsigned kMaxVerifyRequests = 3;

struct WaitServerHello {
  static constexpr wire::Epoch kEpoch = wire::kPlaintextEpoch;
  Offer offer;
  unsigned verify_requests = 0;
  // The suite of the HelloRetryRequest; null before one has arrived.
  const schedule::CipherSuite13Parameters* retry_suite = nullptr;
};

// Sends the first ClientHello, which offers the session, if there is one.
Result<WaitServerHello> start(Context& context, const std::optional<ResumableSession>& session);

using AfterHello = std::variant<WaitServerHello, client12::WaitCertificate,
                                client_psk12::WaitServerKeyExchange, client12::WaitNewSessionTicket,
                                client12::WaitFinished, client13::WaitEncryptedExtensions>;
Result<AfterHello> on(WaitServerHello&& state, const flight::IncomingMessage& incoming,
                      Context& context);

}  // namespace sluice::dtls::handshake::client_start
