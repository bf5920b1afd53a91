#include "sfu/operations/metrics.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "common/process_usage.h"
#include "sfu/operations/counter_table.h"
#include "sfu/operations/prometheus_text.h"

namespace sluice::interop::sfu {
namespace {

// A metric with a value for each reason.
template <class Numbers, class NameOf>
void add_reasons(PrometheusText& out, std::string_view metric, std::string_view help,
                 const Numbers& numbers, NameOf name_of) {
  out.counter(metric, help);
  for (std::size_t i = 0; i < numbers.size(); ++i) out.add(numbers[i], {{"reason", name_of(i)}});
}

void write_counters(PrometheusText& out, const Counters& counters) {
  for (const NamedCounter& counter : kCounters) {
    out.counter(counter.metric, counter.help);
    out.add(counters.*counter.value);
  }
  add_reasons(out, "sluice_sfu_refused_sessions_total", "Sessions that were not made.",
              counters.refused, [](std::size_t i) { return kRefusalNames.at(i); });
  add_reasons(out, "sluice_sfu_ended_sessions_total", "Sessions that have ended.", counters.ended,
              [](std::size_t i) { return kEndNames.at(i); });
}

void add_forwarding(PrometheusText& out, const ice_lite::ForwardCounts& counts) {
  out.counter("sluice_sfu_forwarded_packets_total", "RTP packets to viewers.");
  out.add(counts.packets);
  out.counter("sluice_sfu_forwarded_bytes_total", "Bytes of these packets with SRTP, without UDP.");
  out.add(counts.bytes);
  out.counter("sluice_sfu_no_room_packets_total",
              "RTP packets to viewers that were lost: no room.");
  out.add(counts.no_room);
  add_reasons(out, "sluice_sfu_kept_back_packets_total", "RTP packets that a viewer can't use.",
              counts.not_forwarded,
              [](std::size_t i) { return to_string(static_cast<rtp::NotForwarded>(i)); });
  add_reasons(out, "sluice_sfu_srtp_refused_packets_total", "RTP packets that SRTP did not take.",
              counts.refused,
              [](std::size_t i) { return to_string(static_cast<srtp::PacketError>(i)); });
}

void add_data(PrometheusText& out, const DataCounters& counters) {
  out.counter("sluice_sfu_data_received_messages_total", "Messages on data channels.");
  out.add(counters.received);
  out.counter("sluice_sfu_data_relayed_messages_total", "Of them those that went to the room.");
  out.add(counters.relayed);
  out.counter("sluice_sfu_data_sent_messages_total", "Messages to the others of a room.");
  out.add(counters.sent);
  add_reasons(out, "sluice_sfu_data_dropped_total",
              "Messages, channels and packets that were dropped, by the server's rules.",
              counters.dropped, [](std::size_t i) { return kDataDropNames.at(i); });
  add_reasons(out, "sluice_sfu_data_sctp_dropped_total",
              "Packets and messages that SCTP has dropped, of sessions that have ended.",
              counters.dropped_by_associations,
              [](std::size_t i) { return to_string(static_cast<data_channel::Drop>(i)); });
}

void add_sessions(PrometheusText& out, const WorkerReport& report) {
  constexpr std::array<std::string_view, 2> kRoles = {"publisher", "viewer"};
  constexpr std::array<std::string_view, 2> kStates = {"connecting", "connected"};
  out.gauge("sluice_sfu_rooms", "Rooms.");
  out.add(std::uint64_t{report.rooms.size()});
  out.gauge("sluice_sfu_sessions", "Sessions.");
  for (std::size_t role = 0; role < kRoles.size(); ++role) {
    for (std::size_t state = 0; state < kStates.size(); ++state) {
      out.add(report.sessions.at(role).at(state),
              {{"role", kRoles.at(role)}, {"state", kStates.at(state)}});
    }
  }
}

// Of each worker; the only one has no label.
void add_workers(PrometheusText& out, const std::vector<double>& values) {
  if (values.size() == 1) return out.add(values.front());
  for (std::size_t i = 0; i < values.size(); ++i) {
    out.add(values[i], {{"worker", std::to_string(i)}});
  }
}

void add_dropped(PrometheusText& out, const Exchange::Dropped& dropped) {
  out.counter("sluice_sfu_between_threads_dropped_total",
              "Datagrams and packets that had no room in the queue to another thread.");
  out.add(dropped.datagrams, {{"queue", "port_to_worker"}});
  out.add(dropped.tcp, {{"queue", "worker_to_port"}});
  out.add(dropped.packets, {{"queue", "worker_to_worker"}});
  out.counter("sluice_sfu_unknown_datagrams_total", "Datagrams of no session.");
  out.add(dropped.unknown);
}

}  // namespace

std::string media_metrics(std::vector<WorkerReport> reports,
                          const std::optional<Exchange::Dropped>& dropped) {
  const WorkerReport report = joined(std::move(reports));
  PrometheusText out;
  add_sessions(out, report);
  write_counters(out, report.counters);
  add_forwarding(out, report.counters.forwarded);
  add_data(out, report.counters.data);
  out.gauge("sluice_sfu_media_thread_lag_seconds",
            "How long this request has waited for the media's thread.");
  std::vector<double> waited;
  waited.reserve(report.waited.size());
  for (const dtls::Duration each : report.waited) {
    waited.push_back(std::chrono::duration<double>(each).count());
  }
  add_workers(out, waited);
  out.counter("sluice_sfu_media_thread_cpu_seconds_total", "CPU time of the media's thread.");
  add_workers(out, report.cpu_seconds);
  if (dropped) add_dropped(out, *dropped);
  return out.text();
}

std::string process_metrics() {
  const auto usage = common::process_usage();
  if (!usage) return {};
  PrometheusText out;
  out.counter("process_cpu_seconds_total", "CPU time of all threads.");
  out.add(usage->cpu_seconds);
  out.gauge("process_resident_memory_bytes", "Resident memory.");
  out.add(usage->resident_bytes);
  out.gauge("process_open_fds", "Open file descriptors.");
  out.add(usage->open_descriptors);
  out.gauge("process_max_fds", "File descriptors that may be open.");
  out.add(usage->max_descriptors);
  return out.text();
}

}  // namespace sluice::interop::sfu
