// The server's side of a DTLS 1.2 handshake (RFC 6347 section 4.2.4, figure 1; see client12.h for
// the flow). Each state takes the next message, is consumed by it, and names the states that may
// follow.
#pragma once

#include <optional>
#include <variant>

#include "crypto/public_key.h"
#include "handshake12/session12.h"
#include "negotiation/selection.h"

namespace sluice::dtls::handshake::server12 {

// The flight waits for the signature of our ServerKeyExchange (SignatureRequested).
struct WaitSignature {
  static constexpr wire::Epoch kEpoch = wire::kPlaintextEpoch;
  Negotiated12 negotiated;
  crypto::EphemeralKey key;
  Buffer params;  // that are signed
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
  std::optional<crypto::PublicKey> peer;  // whose CertificateVerify must follow
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

// A ClientHello from which DTLS 1.2 and a suite with certificates have been chosen.
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
