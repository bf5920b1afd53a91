// The client in a DTLS 1.3 handshake (RFC 9147 section 5.7, figure 8), from the ServerHello on:
//
//   Client                                          Server
//   ClientHello             -------->
//                                              ServerHello
//                                    {EncryptedExtensions}
//                                   [{CertificateRequest}]  none of these three
//                                            {Certificate}  when a PSK was chosen
//                                      {CertificateVerify}
//                           <--------           {Finished}
//   [{Certificate}]
//   [{CertificateVerify}]
//   {Finished}              -------->
//                           <--------                [ACK]
//
// A handler consumes a state and the next message, and its return type names the states that may
// follow.
#pragma once

#include <optional>
#include <variant>
#include <vector>

#include "handshake13/session13.h"
#include "message/server_hello.h"
#include "negotiation/client_offer.h"

namespace sluice::dtls::handshake::client13 {

struct WaitEncryptedExtensions {
  static constexpr wire::Epoch kEpoch = wire::kHandshakeEpoch13;
  Negotiated13 negotiated;
  schedule::HandshakeSecrets secrets;
  std::optional<Psk13> psk;  // that the server chose
};
struct WaitCertificateRequest {  // or Certificate
  static constexpr wire::Epoch kEpoch = wire::kHandshakeEpoch13;
  Negotiated13 negotiated;
  schedule::HandshakeSecrets secrets;
};
// The caller is asked which certificate answers CertificateRequest (IdentityRequested).
struct WaitIdentity {
  static constexpr wire::Epoch kEpoch = wire::kHandshakeEpoch13;
  Negotiated13 negotiated;
  schedule::HandshakeSecrets secrets;
  Buffer request;  // the body of CertificateRequest
};
// After a CertificateRequest.
struct WaitCertificate {
  static constexpr wire::Epoch kEpoch = wire::kHandshakeEpoch13;
  Negotiated13 negotiated;
  schedule::HandshakeSecrets secrets;
};
enum class CertificateRequested : bool { no, yes };
struct WaitCertificateVerify {
  static constexpr wire::Epoch kEpoch = wire::kHandshakeEpoch13;
  Negotiated13 negotiated;
  schedule::HandshakeSecrets secrets;
  CertificateRequested requested;
  crypto::PublicKey peer;
};
struct WaitFinished {
  static constexpr wire::Epoch kEpoch = wire::kHandshakeEpoch13;
  Negotiated13 negotiated;
  schedule::HandshakeSecrets secrets;
  CertificateRequested requested;
};
// The last flight waits for the signature of CertificateVerify (SignatureRequested).
struct WaitSignature {
  static constexpr wire::Epoch kEpoch = wire::kHandshakeEpoch13;
  Negotiated13 negotiated;
  schedule::HandshakeSecrets secrets;
  schedule::ApplicationSecrets application;
};

// Takes the ServerHello, which is in the transcript already.
Result<WaitEncryptedExtensions> on_server_hello(Offer&& offer,
                                                const schedule::CipherSuite13Parameters& suite,
                                                const message::ServerHello& hello,
                                                Context& context);

using Incoming = flight::IncomingMessage;
Result<std::variant<WaitCertificateRequest, WaitFinished>> on(WaitEncryptedExtensions&& state,
                                                              const Incoming& incoming,
                                                              Context& context);
using AfterRequest = std::variant<WaitIdentity, WaitCertificate, WaitCertificateVerify>;
Result<AfterRequest> on(WaitCertificateRequest&& state, const Incoming& incoming, Context& context);
Result<WaitCertificate> on_answer(WaitIdentity&& state, const Answer& answer, Context& context);
Result<WaitCertificateVerify> on(WaitCertificate&& state, const Incoming& incoming,
                                 Context& context);
Result<WaitFinished> on(WaitCertificateVerify&& state, const Incoming& incoming, Context& context);
using AfterFinished = std::variant<WaitSignature, Session13>;
Result<AfterFinished> on(WaitFinished&& state, const Incoming& incoming, Context& context);
Result<Session13> on_answer(WaitSignature&& state, const Answer& answer, Context& context);

}  // namespace sluice::dtls::handshake::client13
