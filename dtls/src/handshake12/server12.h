// The server in a DTLS 1.2 handshake with certificates (RFC 6347 section 4.2.4, figure 1;
// client12.h has the message flow). A handler consumes a state and the next message, and its return
// type names the states that may follow.
#pragma once

#include <optional>
#include <variant>

#include "crypto/public_key.h"
#include "handshake12/session12.h"
#include "negotiation/selection.h"

namespace sluice::dtls::handshake::server12 {

// The flight waits for the signature of ServerKeyExchange (SignatureRequested).
struct WaitSignature {
  static constexpr wire::Epoch kEpoch = wire::kPlaintextEpoch;
  Negotiated12 negotiated;
  crypto::EphemeralKey key;
  Buffer params;  // the signature covers these
};
struct WaitCertificate {
  static constexpr wire::Epoch kEpoch = wire::kPlaintextEpoch;
  Negotiated12 negotiated;
  crypto::EphemeralKey key;
};
struct WaitClientKeyExchange {
  static constexpr wire::Epoch kEpoch = wire::kPlaintextEpoch;
  Negotiated12 negotiated;
  crypto::EphemeralKey key;
  std::optional<crypto::PublicKey> peer;  // has a value if CertificateVerify must follow
};
struct WaitCertificateVerify {
  static constexpr wire::Epoch kEpoch = wire::kPlaintextEpoch;
  Session12 session;
  crypto::PublicKey peer;
};
struct WaitFinished {
  static constexpr wire::Epoch kEpoch = wire::kFirstEncryptedEpoch12;
  Session12 session;
};

using Incoming = flight::IncomingMessage;

using AfterFlight = std::variant<WaitCertificate, WaitClientKeyExchange>;
using AfterHello = std::variant<WaitSignature, WaitCertificate, WaitClientKeyExchange>;

// Answers a ClientHello from which the server chose DTLS 1.2 and a suite with certificates.
Result<AfterHello> on_client_hello(const message::ClientHello& hello, const Choice12& choice,
                                   const Incoming& incoming, Context& context);
Result<AfterFlight> on_answer(WaitSignature&& state, const Answer& answer, Context& context);

Result<WaitClientKeyExchange> on(WaitCertificate&& state, const Incoming& incoming,
                                 Context& context);
Result<std::variant<WaitCertificateVerify, WaitFinished>> on(WaitClientKeyExchange&& state,
                                                             const Incoming& incoming,
                                                             Context& context);
Result<WaitFinished> on(WaitCertificateVerify&& state, const Incoming& incoming, Context& context);
Result<Session12> on(WaitFinished&& state, const Incoming& incoming, Context& context);

}  // namespace sluice::dtls::handshake::server12
