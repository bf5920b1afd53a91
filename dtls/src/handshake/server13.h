// The server's side of a DTLS 1.3 handshake (RFC 9147 section 5.7, figure 8; see client13.h for the
// flow), from the ClientHello on.
#pragma once

#include <optional>
#include <variant>

#include "handshake/session13.h"
#include "message/client_hello.h"

namespace sluice::dtls::handshake::server13 {

// After a HelloRetryRequest.
struct WaitSecondClientHello {
  static constexpr wire::Epoch kEpoch = wire::kPlaintextEpoch;
  const schedule::CipherSuite13Parameters* suite;
  NamedGroup group;
  Buffer first;  // the body of the first
};
// Secrets that the client's last flight leads to.
struct Pending13 {
  Negotiated13 negotiated;
  schedule::HandshakeSecrets handshake;
  schedule::ApplicationSecrets application;
};
struct WaitCertificate {
  static constexpr wire::Epoch kEpoch = wire::kHandshakeEpoch13;
  Pending13 pending;
};
struct WaitCertificateVerify {
  static constexpr wire::Epoch kEpoch = wire::kHandshakeEpoch13;
  Pending13 pending;
  crypto::PublicKey peer;
};
struct WaitFinished {
  static constexpr wire::Epoch kEpoch = wire::kHandshakeEpoch13;
  Pending13 pending;
};

using Incoming = flight::IncomingMessage;
using AfterHello = std::variant<WaitSecondClientHello, WaitCertificate, WaitFinished>;

// The first ClientHello, not yet in the transcript; DTLS 1.3 has been chosen from it.
Result<AfterHello> on_client_hello(const message::ClientHello& hello, const Incoming& incoming,
                                   Context& context);

Result<AfterHello> on(WaitSecondClientHello&& state, const Incoming& incoming, Context& context);
Result<WaitCertificateVerify> on(WaitCertificate&& state, const Incoming& incoming,
                                 Context& context);
Result<WaitFinished> on(WaitCertificateVerify&& state, const Incoming& incoming, Context& context);
Result<Session13> on(WaitFinished&& state, const Incoming& incoming, Context& context);

}  // namespace sluice::dtls::handshake::server13
