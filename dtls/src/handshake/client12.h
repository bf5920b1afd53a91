// The client's side of a DTLS 1.2 handshake (RFC 6347 section 4.2.4, figure 1):
//
//   Client                                          Server
//   ClientHello             -------->
//                           <--------   HelloVerifyRequest (at most kMaxVerifyRequests times)
//   ClientHello (cookie)    -------->
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
//                                         ChangeCipherSpec
//                           <--------             Finished
//
// Each state takes the next message, is consumed by it, and names the states that may follow.
#pragma once

#include <optional>
#include <variant>

#include "crypto/public_key.h"
#include "handshake/session12.h"

namespace sluice::dtls::handshake::client12 {

inline constexpr unsigned kMaxVerifyRequests = 3;

struct WaitServerHello {
  schedule::Random random;
  unsigned verify_requests = 0;
};
struct WaitCertificate {
  Negotiated12 negotiated;
};
struct WaitServerKeyExchange {
  Negotiated12 negotiated;
  crypto::PublicKey peer;
};
// The server's share, its signature verified.
struct ServerShare {
  NamedGroup group;
  Buffer point;
};
struct WaitCertificateRequest {  // or ServerHelloDone
  Negotiated12 negotiated;
  ServerShare share;
};
struct WaitServerHelloDone {
  Negotiated12 negotiated;
  ServerShare share;
  // How to sign; empty: no certificate of ours is acceptable.
  std::optional<SignatureScheme> scheme;
};
struct WaitFinished {
  Session12 session;
};

// Sends the first ClientHello.
Result<WaitServerHello> start(Context& context);

using Incoming = flight::IncomingMessage;
Result<std::variant<WaitServerHello, WaitCertificate>> on(WaitServerHello&& state,
                                                          const Incoming& incoming,
                                                          Context& context);
Result<WaitServerKeyExchange> on(WaitCertificate&& state, const Incoming& incoming,
                                 Context& context);
Result<WaitCertificateRequest> on(WaitServerKeyExchange&& state, const Incoming& incoming,
                                  Context& context);
Result<std::variant<WaitServerHelloDone, WaitFinished>> on(WaitCertificateRequest&& state,
                                                           const Incoming& incoming,
                                                           Context& context);
Result<WaitFinished> on(WaitServerHelloDone&& state, const Incoming& incoming, Context& context);
Result<Session12> on(WaitFinished&& state, const Incoming& incoming, Context& context);

}  // namespace sluice::dtls::handshake::client12
