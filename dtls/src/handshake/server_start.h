// A server before it knows the version, which it chooses from a whole ClientHello.
#pragma once

#include <variant>

#include "handshake/server12.h"
#include "handshake/server13.h"
#include "handshake/server_psk12.h"

namespace sluice::dtls::handshake::server_start {

struct WaitClientHello {
  static constexpr wire::Epoch kEpoch = wire::kPlaintextEpoch;
};

using AfterHello =
    std::variant<server12::WaitCertificate, server12::WaitClientKeyExchange,
                 server_psk12::WaitClientKeyExchange, server13::WaitSecondClientHello,
                 server13::WaitPsk, server13::WaitCertificate, server13::WaitFinished>;
Result<AfterHello> on(WaitClientHello&& state, const flight::IncomingMessage& incoming,
                      Context& context);

}  // namespace sluice::dtls::handshake::server_start
