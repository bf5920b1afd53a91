// The client in a DTLS 1.2 handshake with certificates (RFC 6347 section 4.2.4, figure 1), after
// the ServerHello:
//
//   Client                                          Server
//   ClientHello             -------->
//                                              ServerHello
//                                              Certificate
//                                        ServerKeyExchange
//                                     [CertificateRequest]
//                           <--------      ServerHelloDone
//   [Certificate]
//   ClientKeyExchange
//   [CertificateVerify]
//   ChangeCipherSpec
//   Finished                -------->
//                                       [NewSessionTicket]
//                                         ChangeCipherSpec
//                           <--------             Finished
//
// A handler consumes a state and the next message, and its return type names the states that may
// follow.
#pragma once

#include <optional>
#include <variant>

#include "crypto/public_key.h"
#include "handshake12/session12.h"

namespace sluice::dtls::handshake::client12 {

struct WaitCertificate {
  static constexpr wire::Epoch kEpoch = wire::kPlaintextEpoch;
  Negotiated12 negotiated;
};
struct WaitServerKeyExchange {
  static constexpr wire::Epoch kEpoch = wire::kPlaintextEpoch;
  Negotiated12 negotiated;
  crypto::PublicKey peer;
};
// The server's key share; a signature covers it, except with a PSK.
struct ServerShare {
  NamedGroup group;
  Buffer point;
};
// Errors: illegal_parameter for a group that the client did not offer (RFC 8422 section 5.4).
Result<ServerShare> take_share(const Context& context, NamedGroup group, Bytes point);
struct WaitCertificateRequest {  // or ServerHelloDone
  static constexpr wire::Epoch kEpoch = wire::kPlaintextEpoch;
  Negotiated12 negotiated;
  ServerShare share;
};
// The caller is asked which certificate answers CertificateRequest (IdentityRequested).
struct WaitIdentity {
  static constexpr wire::Epoch kEpoch = wire::kPlaintextEpoch;
  Negotiated12 negotiated;
  ServerShare share;
  Buffer request;  // the body of CertificateRequest
};
// After a CertificateRequest.
struct WaitServerHelloDone {
  static constexpr wire::Epoch kEpoch = wire::kPlaintextEpoch;
  Negotiated12 negotiated;
  ServerShare share;
};
// The flight waits for the signature of CertificateVerify (SignatureRequested).
struct WaitSignature {
  static constexpr wire::Epoch kEpoch = wire::kPlaintextEpoch;
  Session12 session;
};
// The first message of the server's last flight, if the ServerHello announced it (RFC 5077 section
// 3.3).
struct WaitNewSessionTicket {
  static constexpr wire::Epoch kEpoch = wire::kPlaintextEpoch;
  Session12 session;
};
struct WaitFinished {
  static constexpr wire::Epoch kEpoch = wire::kFirstEncryptedEpoch12;
  Session12 session;
};
using AfterFlight = std::variant<WaitNewSessionTicket, WaitFinished>;
AfterFlight await_last_flight(const Context& context, Session12&& session);

using Incoming = flight::IncomingMessage;
Result<WaitServerKeyExchange> on(WaitCertificate&& state, const Incoming& incoming,
                                 Context& context);
Result<WaitCertificateRequest> on(WaitServerKeyExchange&& state, const Incoming& incoming,
                                  Context& context);
using AfterHelloDone = std::variant<WaitSignature, WaitNewSessionTicket, WaitFinished>;
using AfterRequest = std::variant<WaitIdentity, WaitServerHelloDone, WaitSignature,
                                  WaitNewSessionTicket, WaitFinished>;
Result<AfterRequest> on(WaitCertificateRequest&& state, const Incoming& incoming, Context& context);
Result<WaitServerHelloDone> on_answer(WaitIdentity&& state, const Answer& answer, Context& context);
Result<AfterHelloDone> on(WaitServerHelloDone&& state, const Incoming& incoming, Context& context);
Result<AfterFlight> on_answer(WaitSignature&& state, const Answer& answer, Context& context);
Result<WaitFinished> on(WaitNewSessionTicket&& state, const Incoming& incoming, Context& context);
// The end of a full or an abbreviated handshake (resume12.h).
Result<Session12> on(WaitFinished&& state, const Incoming& incoming, Context& context);

}  // namespace sluice::dtls::handshake::client12
