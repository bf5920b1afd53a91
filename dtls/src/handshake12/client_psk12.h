// The client in a DTLS 1.2 handshake with a pre-shared key (RFC 4279 section 2, RFC 5489 section
// 2), after the ServerHello:
//
//   Client                                          Server
//   ClientHello             -------->
//                                              ServerHello
//                                     [ServerKeyExchange]    always with ECDHE
//                           <--------      ServerHelloDone
//   ClientKeyExchange
//   ChangeCipherSpec
//   Finished                -------->
//                                       [NewSessionTicket]
//                                         ChangeCipherSpec
//                           <--------             Finished
#pragma once

#include <optional>
#include <variant>

#include <sluice/dtls/event.h>

#include "handshake12/client12.h"

namespace sluice::dtls::handshake::client_psk12 {

struct WaitServerKeyExchange {  // or ServerHelloDone
  static constexpr wire::Epoch kEpoch = wire::kPlaintextEpoch;
  Negotiated12 negotiated;
};
struct WaitServerHelloDone {
  static constexpr wire::Epoch kEpoch = wire::kPlaintextEpoch;
  Negotiated12 negotiated;
  Buffer hint;
  std::optional<client12::ServerShare> share;  // with ECDHE
};
// The caller is asked which key to use (PskRequested).
struct WaitPsk {
  static constexpr wire::Epoch kEpoch = wire::kPlaintextEpoch;
  Negotiated12 negotiated;
  std::optional<client12::ServerShare> share;
};

using Incoming = flight::IncomingMessage;
using AfterHelloDone =
    std::variant<WaitPsk, client12::WaitNewSessionTicket, client12::WaitFinished>;

Result<std::variant<WaitServerHelloDone, WaitPsk, client12::WaitNewSessionTicket,
                    client12::WaitFinished>>
on(WaitServerKeyExchange&& state, const Incoming& incoming, Context& context);
Result<AfterHelloDone> on(WaitServerHelloDone&& state, const Incoming& incoming, Context& context);
Result<client12::AfterFlight> on_answer(WaitPsk&& state, const Answer& answer, Context& context);

}  // namespace sluice::dtls::handshake::client_psk12
