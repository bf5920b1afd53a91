// The server in a DTLS 1.2 handshake with a pre-shared key (RFC 4279 section 2, RFC 5489 section 2;
// client_psk12.h has the message flow).
#pragma once

#include <optional>
#include <variant>

#include <sluice/dtls/event.h>

#include "handshake12/server12.h"
#include "negotiation/selection.h"

namespace sluice::dtls::handshake::server_psk12 {

struct WaitClientKeyExchange {
  static constexpr wire::Epoch kEpoch = wire::kPlaintextEpoch;
  Negotiated12 negotiated;
  std::optional<crypto::EphemeralKey> key;  // with ECDHE
};
// The caller is asked for the key of the client's identity (PskRequested).
struct WaitPsk {
  static constexpr wire::Epoch kEpoch = wire::kPlaintextEpoch;
  Negotiated12 negotiated;
  Buffer identity;  // of the PSK, as the client named it
  std::optional<NamedGroup> group;
  std::optional<crypto::SharedSecret> ecdhe;
};

using Incoming = flight::IncomingMessage;

// Answers a ClientHello from which the server chose DTLS 1.2 and a suite with a PSK.
Result<WaitClientKeyExchange> on_client_hello(const message::ClientHello& hello,
                                              const Choice12& choice, const Incoming& incoming,
                                              Context& context);
Result<std::variant<WaitPsk, server12::WaitFinished>> on(WaitClientKeyExchange&& state,
                                                         const Incoming& incoming,
                                                         Context& context);
Result<server12::WaitFinished> on_answer(WaitPsk&& state, const Answer& answer, Context& context);

}  // namespace sluice::dtls::handshake::server_psk12
