// The client's side of a DTLS 1.3 handshake (RFC 9147 section 5.7, figure 8), from the ServerHello
// on:
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
// Each state takes the next message, is consumed by it, and names the states that may follow.
#pragma once

#include <optional>
#include <variant>
#include <vector>

#include "handshake/client_offer.h"
#include "handshake/session13.h"
#include "message/server_hello.h"

namespace sluice::dtls::handshake::client13 {

struct WaitEncryptedExtensions {
  static constexpr wire::Epoch kEpoch = wire::kHandshakeEpoch13;
  Negotiated13 negotiated;
  schedule::HandshakeSecrets secrets;
  std::optional<Psk13> psk;  // the one that the server chose
};
struct WaitCertificateRequest {  // or Certificate
  static constexpr wire::Epoch kEpoch = wire::kHandshakeEpoch13;
  Negotiated13 negotiated;
  schedule::HandshakeSecrets secrets;
};
// What the server wants of our certificate.
struct ClientAuthentication {
  // How to sign; empty: no certificate of ours is acceptable.
  std::optional<SignatureScheme> scheme;
};
struct WaitCertificate {
  static constexpr wire::Epoch kEpoch = wire::kHandshakeEpoch13;
  Negotiated13 negotiated;
  schedule::HandshakeSecrets secrets;
  ClientAuthentication authentication;
};
struct WaitCertificateVerify {
  static constexpr wire::Epoch kEpoch = wire::kHandshakeEpoch13;
  Negotiated13 negotiated;
  schedule::HandshakeSecrets secrets;
  std::optional<ClientAuthentication> authentication;  // empty: none was asked for
  crypto::PublicKey peer;
};
struct WaitFinished {
  static constexpr wire::Epoch kEpoch = wire::kHandshakeEpoch13;
  Negotiated13 negotiated;
  schedule::HandshakeSecrets secrets;
  std::optional<ClientAuthentication> authentication;
};

// The ServerHello, already in the transcript, answers the offer.
Result<WaitEncryptedExtensions> on_server_hello(Offer&& offer,
                                                const schedule::CipherSuite13Parameters& suite,
                                                const message::ServerHello& hello,
                                                Context& context);

using Incoming = flight::IncomingMessage;
Result<std::variant<WaitCertificateRequest, WaitFinished>> on(WaitEncryptedExtensions&& state,
                                                              const Incoming& incoming,
                                                              Context& context);
Result<std::variant<WaitCertificate, WaitCertificateVerify>> on(WaitCertificateRequest&& state,
                                                                const Incoming& incoming,
                                                                Context& context);
Result<WaitCertificateVerify> on(WaitCertificate&& state, const Incoming& incoming,
                                 Context& context);
Result<WaitFinished> on(WaitCertificateVerify&& state, const Incoming& incoming, Context& context);
Result<Session13> on(WaitFinished&& state, const Incoming& incoming, Context& context);

}  // namespace sluice::dtls::handshake::client13
