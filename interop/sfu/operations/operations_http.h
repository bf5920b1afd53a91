// The part of the HTTP interface that is for operators.
//
//   GET /healthz    200 while the media is served; for everybody
//   GET /sessions   rooms, sessions and counters as JSON
//   GET /metrics    the same as numbers, for Prometheus
#pragma once

#include <httplib.h>

#include <functional>
#include <optional>
#include <string>

#include "sfu/operations/operator_access.h"
#include "sfu/sfu.h"

namespace sluice::interop::sfu {

// Has the media's thread answer a request. Empty, with the refusal in the response: it does not.
using AskSfu = std::function<std::optional<std::string>(
    httplib::Response& response, std::function<std::string(Sfu&, dtls::Instant)> work)>;

void add_operations(httplib::Server& routes, const OperatorAccess& access, const AskSfu& ask);

}  // namespace sluice::interop::sfu
