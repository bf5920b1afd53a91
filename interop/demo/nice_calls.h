// Calls over libnice: a UDP socket per call and local address.
#pragma once

#include <sluice/dtls/environment.h>
#include <sluice/nice/ice_options.h>

#include "demo/call_transport.h"

// GLib's GMainContext.
struct _GMainContext;  // NOLINT(bugprone-reserved-identifier,readability-identifier-naming)

namespace sluice::interop::demo {

// `environment` and `context` outlive the result. The error says which option is wrong.
tl::expected<std::unique_ptr<CallTransports>, std::string> make_nice_calls(
    const nice::IceOptions& options, dtls::Environment& environment, _GMainContext* context);

}  // namespace sluice::interop::demo
