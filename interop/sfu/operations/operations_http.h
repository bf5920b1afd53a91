// The part of the HTTP interface that is for operators.
//
//   GET /healthz    200 while the media is served; for all clients
//   GET /sessions   rooms, sessions and counters as JSON
//   GET /metrics    the same as numbers, for Prometheus
#pragma once

#include <httplib.h>

#include <cstddef>
#include <functional>

#include "sfu/media_threads.h"
#include "sfu/operations/operator_access.h"

namespace sluice::interop::sfu {

using AskSfuWork = std::function<void(Sfu&, dtls::Instant)>;

// What operators ask the threads of the media. It outlives the handlers.
struct AskWorkers {
  const MediaThreads& media;
  // Has a worker do something for a request, and waits for it. False, with the refusal in the
  // response: it does not, and `work` is not run later.
  std::function<bool(std::size_t worker, httplib::Response& response, AskSfuWork work)> ask;
};

void add_operations(httplib::Server& routes, const OperatorAccess& access, const AskWorkers& ask);

}  // namespace sluice::interop::sfu
