// All calls on one UDP port and the TCP port of the same number, with sluice::ice_lite.
#pragma once

#include <memory>
#include <string>
#include <tl/expected.hpp>

#include <sluice/dtls/environment.h>

#include "common/lite/lite_port.h"
#include "demo/call_transport.h"

// GLib's GMainContext.
struct _GMainContext;  // NOLINT(bugprone-reserved-identifier,readability-identifier-naming)

namespace sluice::interop::demo {

// `environment` and `context` outlive the result. The error says what is wrong.
tl::expected<std::unique_ptr<CallTransports>, std::string> make_lite_calls(
    const LiteOptions& options, dtls::Environment& environment, _GMainContext* context);

}  // namespace sluice::interop::demo
