#include "sfu/operations/worker_report.h"

#include <algorithm>
#include <iterator>

#include "common/process_usage.h"
#include "sfu/operations/counter_table.h"

namespace sluice::interop::sfu {
namespace {

void add(WorkerReport& sum, const WorkerReport& more) {
  for (const auto& [name, counts] : more.rooms) {
    auto& room = sum.rooms[name];
    // Each worker has all publishers of a room, and its own viewers.
    room.publishers = std::max(room.publishers, counts.publishers);
    room.viewers += counts.viewers;
  }
  for (std::size_t role = 0; role < sum.sessions.size(); ++role) {
    add_numbers(sum.sessions.at(role), more.sessions.at(role));
  }
  add_counters(sum.counters, more.counters);
  std::ranges::copy(more.waited, std::back_inserter(sum.waited));
  std::ranges::copy(more.cpu_seconds, std::back_inserter(sum.cpu_seconds));
}

}  // namespace

WorkerReport report_of(const Sfu& sfu, dtls::Duration waited) {
  WorkerReport report;
  for (const auto& [name, room] : sfu.rooms()) {
    report.rooms[name] = {.publishers = room->publishers(), .viewers = room->viewers()};
  }
  for (const auto& [handle, session] : sfu.sessions()) {
    ++report.sessions.at(session.publisher ? 0 : 1).at(session.is_connected ? 1 : 0);
  }
  report.counters = sfu.counters();
  report.waited = {waited};
  // The kernel counts it, so that the media's thread has nothing to do for it.
  report.cpu_seconds = {common::thread_cpu_seconds()};
  return report;
}

WorkerReport joined(std::vector<WorkerReport> reports) {
  WorkerReport sum = std::move(reports.front());
  for (std::size_t i = 1; i < reports.size(); ++i) add(sum, reports[i]);
  return sum;
}

}  // namespace sluice::interop::sfu
