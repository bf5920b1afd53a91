// The part of the HTTP interface that is for operators.
//
//   GET /healthz    200 while the media is served; for everybody
//   GET /sessions   rooms, sessions and counters as JSON
//   GET /metrics    the same as numbers, for Prometheus
#pragma once

#include <httplib.h>

#include <functional>
#include <optional>
#include <vector>

#include "sfu/operations/operator_access.h"
#include "sfu/operations/worker_report.h"

namespace sluice::interop::sfu {

// What operators ask the threads of the media.
struct AskWorkers {
  // The report of each worker. Empty, with the refusal in the response: one does not answer.
  std::function<std::optional<std::vector<WorkerReport>>(
      httplib::Response& response, std::function<WorkerReport(Sfu&, dtls::Instant)> work)>
      reports;
  std::function<std::optional<Exchange::Dropped>()> dropped;
};

void add_operations(httplib::Server& routes, const OperatorAccess& access, const AskWorkers& ask);

}  // namespace sluice::interop::sfu
