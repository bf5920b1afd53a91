#include "sfu/operations/worker_report.h"

#include <algorithm>
#include <functional>
#include <iterator>

#include "common/process_usage.h"
#include "sfu/operations/counter_table.h"

namespace sluice::interop::sfu {
namespace {

template <class Numbers>
void add_numbers(Numbers& sum, const Numbers& more) {
  std::ranges::transform(sum, more, sum.begin(), std::plus{});
}

void add_counters(Counters& sum, const Counters& more) {
  for (const NamedCounter& each : kCounters) sum.*each.value += more.*each.value;
  add_numbers(sum.refused, more.refused);
  add_numbers(sum.ended, more.ended);
  sum.forwarded.packets += more.forwarded.packets;
  sum.forwarded.bytes += more.forwarded.bytes;
  sum.forwarded.no_room += more.forwarded.no_room;
  add_numbers(sum.forwarded.not_forwarded, more.forwarded.not_forwarded);
  add_numbers(sum.forwarded.refused, more.forwarded.refused);
  sum.data.received += more.data.received;
  sum.data.relayed += more.data.relayed;
  sum.data.sent += more.data.sent;
  add_numbers(sum.data.dropped, more.data.dropped);
  add_numbers(sum.data.dropped_by_associations, more.data.dropped_by_associations);
}

// What add_counters() does not know would be missing.
static_assert(sizeof(ice_lite::ForwardCounts) ==
              sizeof(std::uint64_t) * (3 + rtp::kNotForwardedReasons + srtp::kPacketErrors));
static_assert(sizeof(DataCounters) ==
              sizeof(std::uint64_t) * (3 + kDataDropNames.size() + data_channel::kDropReasons));

void add(WorkerReport& sum, WorkerReport more) {
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
  std::ranges::move(more.texts, std::back_inserter(sum.texts));
  for (const auto& [number, tracks] : more.mirrored) {
    auto& known = sum.mirrored[number];
    known.resize(tracks.size());
    for (std::size_t track = 0; track < tracks.size(); ++track) {
      known[track].resize(tracks[track].size());
      add_numbers(known[track], tracks[track]);
    }
  }
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
  for (std::size_t i = 1; i < reports.size(); ++i) add(sum, std::move(reports[i]));
  return sum;
}

}  // namespace sluice::interop::sfu
