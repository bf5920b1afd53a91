// The sessions of a server as JSON.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sfu/operations/worker_report.h"

namespace sluice::interop::sfu {

// On the thread of a worker: its part.
WorkerReport sessions_report(const Sfu& sfu, dtls::Instant now);
// Without what is secret: of the sessions' IDs only the first eight digits. `dropped`: between
// workers, where there are several.
std::string sessions_json(std::vector<WorkerReport> reports,
                          const std::optional<Exchange::Dropped>& dropped = {});

}  // namespace sluice::interop::sfu
