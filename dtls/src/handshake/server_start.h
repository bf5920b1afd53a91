// A server until it has chosen the version from a ClientHello.
#pragma once

#include <variant>

#include <sluice/dtls/event.h>

#include "handshake12/server12.h"
#include "handshake12/server_psk12.h"
#include "handshake13/server13.h"

namespace sluice::dtls::handshake::server_start {

struct WaitClientHello {
  static constexpr wire::Epoch kEpoch = wire::kPlaintextEpoch;
};

// The caller is asked for the session that a ClientHello of DTLS 1.2 names (SessionRequested).
struct WaitSession {
  static constexpr wire::Epoch kEpoch = wire::kPlaintextEpoch;
  Buffer hello;  // the whole message
};
// The caller is asked which identity answers the ClientHello (IdentityRequested).
struct WaitIdentity {
  static constexpr wire::Epoch kEpoch = wire::kPlaintextEpoch;
  Buffer hello;  // the whole message
};

using AfterHello =
    std::variant<WaitSession, WaitIdentity, server12::WaitSignature, server12::WaitCertificate,
                 server12::WaitClientKeyExchange, server12::WaitFinished,
                 server_psk12::WaitClientKeyExchange, server13::WaitSecondClientHello,
                 server13::WaitPsk, server13::WaitIdentity, server13::WaitSignature,
                 server13::WaitCertificate, server13::WaitFinished>;
Result<AfterHello> on(WaitClientHello&& state, const flight::IncomingMessage& incoming,
                      Context& context);
Result<AfterHello> on_answer(WaitSession&& state, const Answer& answer, Context& context);
Result<AfterHello> on_answer(WaitIdentity&& state, const Answer& answer, Context& context);

}  // namespace sluice::dtls::handshake::server_start
