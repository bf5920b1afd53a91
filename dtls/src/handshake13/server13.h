// The server's side of a DTLS 1.3 handshake (RFC 9147 section 5.7, figure 8; see client13.h for the
// flow), from the ClientHello on.
#pragma once

#include <optional>
#include <variant>

#include "handshake13/session13.h"
#include "negotiation/psk13.h"
#include "negotiation/selection.h"

namespace sluice::dtls::handshake::server13 {

// After a HelloRetryRequest: what it said, and what of the first hello must come again.
struct WaitSecondClientHello {
  static constexpr wire::Epoch kEpoch = wire::kPlaintextEpoch;
  const schedule::CipherSuite13Parameters* suite;
  std::optional<NamedGroup> group;  // of which a share was asked for
  crypto::Digest repeated;
};
// The ClientHello waits for somebody to say what its PSK identities mean (PskRequested).
struct WaitPsk {
  static constexpr wire::Epoch kEpoch = wire::kPlaintextEpoch;
  Buffer hello;  // the whole message
  bool is_second;
};
// The ClientHello waits for somebody to say which identity to answer it with (IdentityRequested).
struct WaitIdentity {
  static constexpr wire::Epoch kEpoch = wire::kPlaintextEpoch;
  Buffer hello;  // the whole message
  bool is_second;
};
// Our flight waits for the signature of its CertificateVerify (SignatureRequested).
struct WaitSignature {
  static constexpr wire::Epoch kEpoch = wire::kHandshakeEpoch13;
  Negotiated13 negotiated;
  schedule::HandshakeSecrets secrets;
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

// A HelloRetryRequest that was sent without keeping anything for the client: all that its cookie,
// which has come back, tells of it (RFC 9147 section 5.1).
struct StatelessRetry {
  const schedule::CipherSuite13Parameters* suite;
  std::optional<NamedGroup> group;
  crypto::Digest repeated;
  crypto::Digest first_hello;  // as the transcript takes it, by the suite's hash
  Buffer cookie;
};

using Incoming = flight::IncomingMessage;
using AfterHello = std::variant<WaitSecondClientHello, WaitPsk, WaitIdentity, WaitSignature,
                                WaitCertificate, WaitFinished>;
using AfterFlight = std::variant<WaitCertificate, WaitFinished>;

// What a first ClientHello leads to; DTLS 1.3 has been chosen from it. Errors: as choose13(), and
// illegal_parameter.
Result<Choice13> judge_client_hello(const ConfigOptions& config, const crypto::Library& library,
                                    const message::ClientHello& hello);

// The state in which that HelloRetryRequest would have left a server that keeps it.
Result<WaitSecondClientHello> after_stateless_retry(const StatelessRetry& retry, Context& context);

// The first ClientHello, not yet in the transcript.
Result<AfterHello> on_client_hello(const message::ClientHello& hello, const Incoming& incoming,
                                   Context& context);

Result<AfterHello> on(WaitSecondClientHello&& state, const Incoming& incoming, Context& context);
// `answer` fits the question that was asked.
Result<AfterHello> on_answer(WaitPsk&& state, const Answer& answer, Context& context);
Result<AfterHello> on_answer(WaitIdentity&& state, const Answer& answer, Context& context);
Result<AfterFlight> on_answer(WaitSignature&& state, const Answer& answer, Context& context);
Result<std::variant<WaitCertificateVerify, WaitFinished>> on(WaitCertificate&& state,
                                                             const Incoming& incoming,
                                                             Context& context);
Result<WaitFinished> on(WaitCertificateVerify&& state, const Incoming& incoming, Context& context);
Result<Session13> on(WaitFinished&& state, const Incoming& incoming, Context& context);

}  // namespace sluice::dtls::handshake::server13
