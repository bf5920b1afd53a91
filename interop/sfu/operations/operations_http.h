// The part of the HTTP interface that is for operators.
//
//   GET /healthz    200 while the media is served; for all clients
//   GET /sessions   rooms, sessions and counters as JSON
//   GET /metrics    the same as numbers, for Prometheus
#pragma once

#include <httplib.h>

#include <functional>

#include "sfu/operations/operator_access.h"
#include "sfu/sfu.h"

namespace sluice::interop::sfu {

using AskSfuWork = std::function<void(Sfu&, dtls::Instant)>;
// Has the media's thread do something for a request, and waits for it. False, with the refusal in
// the response: it does not, and `work` is not run later.
using AskSfu = std::function<bool(httplib::Response& response, AskSfuWork work)>;

void add_operations(httplib::Server& routes, const OperatorAccess& access, const AskSfu& ask);

}  // namespace sluice::interop::sfu
