// The words of the tests of resumption in DTLS 1.2.
#pragma once

#include <functional>

#include "conformance/dtls12/vocabulary.h"
#include "message/server_hello.h"
#include "negotiation/stored_session.h"
#include "support/middlebox.h"
#include "support/resumption.h"

namespace sluice::test {

inline dtls::ConfigOptions options12() { return options_for(ProtocolVersion::dtls12); }
inline dtls::ConfigOptions store_options() { return with_store(options12()); }
inline dtls::ConfigOptions ticket_options() { return with_tickets(options12()); }

// The datagram with the body of each whole plaintext message of this type changed. Throws when
// there is none.
Buffer rewritten(Bytes datagram, HandshakeType type,
                 const std::function<void(Buffer& body)>& change);
// The types of its plaintext messages.
std::vector<HandshakeType> types_in(Bytes datagram);

// What the hello says, taken from what the side is about to send first.
ClientHelloFields client_hello_of(Bytes datagram);

}  // namespace sluice::test
