// What a client offers: its ClientHello, of whatever versions the Config allows.
#pragma once

#include <vector>

#include "crypto/key_exchange.h"
#include "negotiation/psk13.h"
#include "schedule/keys12.h"

namespace sluice::dtls::handshake {

// What one client's hellos have in common, and what a server's answer adds to the next.
struct Offer {
  schedule::Random random{};
  std::vector<crypto::EphemeralKey> keys;  // of the shares; none when only 1.2 is offered
  std::vector<PskOffer> psks;
  // Of DTLS 1.2, with the session ID that tells whether the server resumes it.
  std::optional<ResumableSession> session12;
  Buffer session_id;
  Buffer verify_cookie;  // of a HelloVerifyRequest (RFC 6347 section 4.2.1)
  Buffer retry_cookie;   // of a HelloRetryRequest (RFC 8446 section 4.2.2)
};

// Appends the ClientHello to the flight. The same offer gives the same hello.
Result<void> send_client_hello(Context& context, const Offer& offer);

// Whether the ClientHello had this extension, so that the server may answer it.
bool is_offered(const ConfigOptions& config, wire::ExtensionType type);

}  // namespace sluice::dtls::handshake
