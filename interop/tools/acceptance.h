// Whose certificate is taken.
#pragma once

#include <sluice/dtls/endpoint.h>

#include "tools/tool_options.h"

namespace sluice::interop::tools {

// Answers a question about the peer's certificate: yes if it is the one of --fingerprint, or there
// is no such option.
inline void judge(dtls::Endpoint& endpoint, dtls::ConnectionHandle connection,
                  const dtls::PeerCertificateReceived& asked, const ToolConfig& config,
                  dtls::Environment& environment, dtls::Instant now) {
  const auto& leaf = asked.chain.front();
  const auto matches =
      config.peer ? dtls::matches(std::span(&*config.peer, 1), leaf, environment) : true;
  const bool taken = matches.value_or(false);
  // An Error ends the connection, and Ended will tell.
  static_cast<void>(endpoint.answer(
      connection, asked.question,
      taken ? dtls::Answer(dtls::AcceptPeer{}) : dtls::Answer(dtls::RejectPeer{}), now));
}

}  // namespace sluice::interop::tools
