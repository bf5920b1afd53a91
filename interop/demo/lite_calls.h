// All calls on one UDP port, with sluice::ice_lite.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <sluice/dtls/environment.h>

#include "demo/call_transport.h"

// GLib's GMainContext.
struct _GMainContext;  // NOLINT(bugprone-reserved-identifier,readability-identifier-naming)

namespace sluice::interop::demo {

struct LiteOptions {
  // The UDP port of all calls; 0: any free port.
  std::uint16_t port = 0;
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
