// The settings of each stack for a kind of handshake, and one handshake at a time.
#pragma once

#include <sluice/dtls/config.h>
#include <sluice/dtls/environment.h>

#include <functional>

#include "handshake.h"
#include "support/libssl_peer.h"

namespace sluice::bench {

dtls::Buffer handshake_psk();
dtls::ConfigOptions handshake_options(const HandshakeKind& kind);
test::LibsslOptions handshake_options_of_libssl(const HandshakeKind& kind, bool is_server);

// Each call is a handshake; what handshakes share is made once.
std::function<void()> sluice_handshakes(const HandshakeKind& kind, dtls::Environment& environment);
std::function<void()> libssl_handshakes(const HandshakeKind& kind);

}  // namespace sluice::bench
