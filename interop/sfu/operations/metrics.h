// What a monitoring system reads at /metrics.
#pragma once

#include <string>

#include "sfu/sfu.h"

namespace sluice::interop::sfu {

// `waited`: how long the request for them has waited for the media's thread, which is the caller.
std::string media_metrics(const Sfu& sfu, dtls::Duration waited);
// The names are those of Prometheus' client libraries. Empty where the system does not tell.
std::string process_metrics();

}  // namespace sluice::interop::sfu
