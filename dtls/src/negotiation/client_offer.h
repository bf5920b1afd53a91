// What a client offers in its ClientHello, which serves all versions that the Config allows.
#pragma once

#include <vector>

#include <sluice/dtls/connection_id.h>

#include "crypto/key_exchange.h"
#include "negotiation/psk13.h"
#include "schedule/keys12.h"

namespace sluice::dtls::handshake {

// What all hellos of one handshake share, and what HelloVerifyRequest and HelloRetryRequest add.
struct Offer {
  schedule::Random random{};
  std::vector<crypto::EphemeralKey> keys;  // of key_share; none when only DTLS 1.2 is offered
  std::vector<PskOffer> psks;
  // A session of DTLS 1.2, and the session ID that the server repeats if it resumes the session.
  std::optional<ResumableSession> session12;
  Buffer session_id;
  ConnectionId connection_id;  // of the records that the client is to receive; empty: none
  Buffer verify_cookie;        // from a HelloVerifyRequest (RFC 6347 section 4.2.1)
  Buffer retry_cookie;         // from a HelloRetryRequest (RFC 8446 section 4.2.2)
};

// Appends the ClientHello to the flight. The same offer gives the same hello, except for the ages
// of tickets (RFC 8446 section 4.1.2). Errors: excessive_message when a hello has no room for the
// offer.
Result<void> send_client_hello(Context& context, const Offer& offer);

}  // namespace sluice::dtls::handshake
