// What a monitoring system reads at /metrics.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sfu/operations/worker_report.h"

namespace sluice::interop::sfu {

// `dropped`: between workers, where there are several.
std::string media_metrics(std::vector<WorkerReport> reports,
                          const std::optional<Exchange::Dropped>& dropped = {});
// The names are those of Prometheus' client libraries. Empty where the system does not tell.
std::string process_metrics();

}  // namespace sluice::interop::sfu
