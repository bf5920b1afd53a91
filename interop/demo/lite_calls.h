// All calls on one UDP port and the TCP port of the same number, with sluice::ice_lite.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <sluice/dtls/environment.h>

#include "demo/call_transport.h"

// GLib's GMainContext.
struct _GMainContext;  // NOLINT(bugprone-reserved-identifier,readability-identifier-naming)

namespace sluice::interop::demo {

// Which candidates are announced. The server takes both.
enum class LiteCandidates : std::uint8_t { udp_and_tcp, udp, tcp };

struct LiteOptions {
  // The UDP and TCP port of all calls; 0: any that both have free.
  std::uint16_t port = 0;
  LiteCandidates candidates = LiteCandidates::udp_and_tcp;
  // IP literals of the addresses for candidates. Empty: those of all interfaces that are up,
  // loopback included.
  std::vector<std::string> addresses = {};
  // "ADDRESS:PORT", in place of the own ones: where a NAT (1:1) or a relay takes datagrams for us.
  std::vector<std::string> announced = {};
};

// `environment` and `context` outlive the result. The error says what is wrong.
tl::expected<std::unique_ptr<CallTransports>, std::string> make_lite_calls(
    const LiteOptions& options, dtls::Environment& environment, _GMainContext* context);

}  // namespace sluice::interop::demo
