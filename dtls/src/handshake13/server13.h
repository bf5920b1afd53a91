// The server in a DTLS 1.3 handshake (RFC 9147 section 5.7, figure 8; client13.h has the message
// flow).
#pragma once

#include <optional>
#include <variant>

#include "handshake13/session13.h"
#include "negotiation/psk13.h"
#include "negotiation/selection.h"

namespace sluice::dtls::handshake::server13 {

// After a HelloRetryRequest: its values, and the digest of what the second hello must repeat.
struct WaitSecondClientHello {
  static constexpr wire::Epoch kEpoch = wire::kPlaintextEpoch;
  const schedule::CipherSuite13Parameters* suite = nullptr;
  std::optional<NamedGroup> group;  // of the share that the server asked for
  crypto::Digest repeated;
};
// The caller is asked about the client's PSK identities (PskRequested).
struct WaitPsk {
  static constexpr wire::Epoch kEpoch = wire::kPlaintextEpoch;
  Buffer hello;  // the whole message
  // The suite of the HelloRetryRequest; null: there was none.
  const schedule::CipherSuite13Parameters* retry_suite;
};
// The caller is asked which identity answers the ClientHello (IdentityRequested).
struct WaitIdentity {
  static constexpr wire::Epoch kEpoch = wire::kPlaintextEpoch;
  Buffer hello;  // the whole message
  // The suite of the HelloRetryRequest; null: there was none.
  const schedule::CipherSuite13Parameters* retry_suite;
};
// The flight waits for the signature of CertificateVerify (SignatureRequested).
struct WaitSignature {
  static constexpr wire::Epoch kEpoch = wire::kHandshakeEpoch13;
  Negotiated13 negotiated;
  schedule::HandshakeSecrets secrets;
};
// What the server needs for the client's last flight.
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

// A stateless HelloRetryRequest, as the cookie that the client has returned describes it (RFC 9147
// section 5.1).
struct StatelessRetry {
  const schedule::CipherSuite13Parameters* suite;
  std::optional<NamedGroup> group;
  crypto::Digest repeated;
  crypto::Digest first_hello;  // by the suite's hash, for the transcript
  Buffer cookie;
};

using Incoming = flight::IncomingMessage;
using AfterHello = std::variant<WaitSecondClientHello, WaitPsk, WaitIdentity, WaitSignature,
                                WaitCertificate, WaitFinished>;
using AfterFlight = std::variant<WaitCertificate, WaitFinished>;

// Checks a ClientHello from which the server chose DTLS 1.3, and chooses from it. Errors: as
// choose13(), and illegal_parameter.
Result<Choice13> check_client_hello13(const ConfigOptions& config, const crypto::Library& library,
                                      const message::ClientHello& hello);

// The state that a server with state would be in after that HelloRetryRequest.
Result<WaitSecondClientHello> after_stateless_retry(const StatelessRetry& retry, Context& context);

// Answers the first ClientHello, which is not in the transcript yet.
Result<AfterHello> on_client_hello(const message::ClientHello& hello, const Incoming& incoming,
                                   Context& context);

Result<AfterHello> on(WaitSecondClientHello&& state, const Incoming& incoming, Context& context);
// `answer` is of a type that the question allows.
Result<AfterHello> on_answer(WaitPsk&& state, const Answer& answer, Context& context);
Result<AfterHello> on_answer(WaitIdentity&& state, const Answer& answer, Context& context);
Result<AfterFlight> on_answer(WaitSignature&& state, const Answer& answer, Context& context);
Result<std::variant<WaitCertificateVerify, WaitFinished>> on(WaitCertificate&& state,
                                                             const Incoming& incoming,
                                                             Context& context);
Result<WaitFinished> on(WaitCertificateVerify&& state, const Incoming& incoming, Context& context);
Result<Session13> on(WaitFinished&& state, const Incoming& incoming, Context& context);

}  // namespace sluice::dtls::handshake::server13
