// What a worker tells operators, and what several tell together.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "sfu/sfu.h"

namespace sluice::interop::sfu {

struct WorkerReport {
  struct RoomCounts {
    std::size_t publishers = 0;
    std::size_t viewers = 0;
  };

  std::map<std::string, RoomCounts> rooms = {};
  // Publishers and viewers, connecting and connected.
  std::array<std::array<std::uint64_t, 2>, 2> sessions = {};
  Counters counters = {};
  // Of each worker: how long the request has waited for its thread, and what that has taken.
  std::vector<dtls::Duration> waited = {};
  std::vector<double> cpu_seconds = {};
};

// On the thread of the worker. `waited`: the request for this report.
WorkerReport report_of(const Sfu& sfu, dtls::Duration waited);
// Of one or more.
WorkerReport joined(std::vector<WorkerReport> reports);

}  // namespace sluice::interop::sfu
