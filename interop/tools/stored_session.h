// A live session as a server stores it: its state, and where its peer was.
#pragma once

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/live_session.h>
#include <sluice/dtls/secret.h>
#include <sluice/dtls/udp_endpoint.h>

#include <tl/expected.hpp>

#include <string>

namespace sluice::interop::tools {

struct StoredSession {
  dtls::SessionState state;
  // A session that goes on must begin where its peer was last: a datagram that somebody has copied
  // may be the first to come.
  dtls::UdpEndpoint peer;
};

// The size of the address (1 byte: 4 or 16), the address, the port (2), the state.
dtls::SecretBytes encode_stored(const dtls::SessionState& state, const dtls::UdpEndpoint& peer);
// The error says what is wrong.
tl::expected<StoredSession, std::string> decode_stored(dtls::Bytes bytes);

}  // namespace sluice::interop::tools
