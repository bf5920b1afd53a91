#include "load/load_report.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <iomanip>
#include <sstream>

#include <nlohmann/json.hpp>

namespace sluice::interop::load {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kPercent = 100;

double milliseconds(dtls::Duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

std::string text_of(double value, int digits) {
  std::ostringstream out;
  out << std::fixed << std::setprecision(digits) << value;
  return out.str();
}

std::string percentiles(const DelayHistogram& delays) {
  if (delays.total() == 0) return "none";
  return "p50 " + text_of(milliseconds(delays.percentile(0.5)), 2) + " ms, p99 " +
         text_of(milliseconds(delays.percentile(0.99)), 2) + " ms, longest " +
         text_of(milliseconds(delays.most()), 2) + " ms";
}

Json to_json(const DelayHistogram& delays) {
  return {{"count", delays.total()},
          {"p50_ms", milliseconds(delays.percentile(0.5))},
          {"p99_ms", milliseconds(delays.percentile(0.99))},
          {"max_ms", milliseconds(delays.most())}};
}

// What is checked of each packet.
constexpr std::array kChecksOfRecordings = {"payload against the file", "sequence numbers",
                                            "timestamps", "gaps"};
constexpr std::array kChecksOfStamps = {
    "checksum of the payload", "sequence numbers", "timestamps", "gaps", "delay", "source",
    "loss at the end"};

std::vector<std::string> checks(bool is_recorded) {
  if (is_recorded) return {kChecksOfRecordings.begin(), kChecksOfRecordings.end()};
  return {kChecksOfStamps.begin(), kChecksOfStamps.end()};
}

std::string text_of(const std::vector<std::string>& list) {
  std::string text;
  for (const std::string& each : list) text += (text.empty() ? "" : ", ") + each;
  return text;
}

Json to_json(const ReceivedCounts& counts) {
  return {{"packets", counts.packets},
          {"bytes", counts.bytes},
          {"unique", counts.unique},
          {"lost", counts.lost},
          {"loss_percent", loss_percent(counts)},
          {"duplicates", counts.duplicates},
          {"reordered", counts.reordered},
          {"corrupt", counts.corrupt},
          {"sequence_breaks", counts.sequence_breaks},
          {"timestamp_breaks", counts.timestamp_breaks},
          {"source_changes", counts.source_changes},
          {"key_frames", counts.key_frames},
          {"longest_gap_ms", milliseconds(counts.longest_gap)},
          {"delay", to_json(counts.delays)}};
}

}  // namespace

double loss_percent(const ReceivedCounts& counts) {
  const auto expected = static_cast<double>(counts.unique + counts.lost);
  return expected > 0 ? kPercent * static_cast<double>(counts.lost) / expected : 0;
}

void LoadReport::add(const MemberReport& member, bool has_left) {
  if (!member.end.empty()) fail(member.end);
  socket_dropped += member.socket.dropped_full + member.socket.dropped_refused;
  dropped_unread += member.dropped_unread;
  if (member.connected_after) connected.add(*member.connected_after);
  if (member.is_publisher) {
    publishers_connected += member.connected_after ? 1U : 0U;
    for (const auto& [id, packets] : member.sent) sent_packets += packets;
    sent_bytes += member.sent_bytes;
    lost_to_server += member.lost_on_the_way;
    sent_key_frames += member.key_frames;
    key_frames_asked += member.key_frames_asked;
    skipped_frames += member.skipped_frames;
    return;
  }
  viewers_connected += member.connected_after ? 1U : 0U;
  const bool has_media = member.streams > 0;
  const bool is_due = member.connected_after && (!has_left || member.connected_for >= kPatience);
  viewers_with_media += has_media ? 1U : 0U;
  viewers_without_media += !has_media && is_due ? 1U : 0U;
  unexpected += member.unexpected;
  if (member.first_packet_after) first_packet.add(*member.first_packet_after);
  received.add(member.received);
  if (const double loss = loss_percent(member.received); loss > worst.loss) {
    worst.loss = loss;
    worst.loss_of = member.id;
  }
  worst.delay_p99 = std::max(worst.delay_p99, member.received.delays.percentile(0.99));
  worst.longest_gap = std::max(worst.longest_gap, member.received.longest_gap);
}

double LoadReport::packets_per_second() const {
  return seconds > 0 ? static_cast<double>(packets_meanwhile) / seconds : 0;
}
double LoadReport::bits_per_second() const {
  constexpr double kBits = 8;
  return seconds > 0 ? kBits * static_cast<double>(bytes_meanwhile) / seconds : 0;
}

std::vector<std::string> violations(const LoadReport& report, const Limits& limits) {
  std::vector<std::string> all;
  all.reserve(report.failures.size());
  for (const auto& [what, count] : report.failures) {
    all.push_back(std::to_string(count) + " x " + what);
  }
  const auto demand = [&](auto value, auto limit, const std::string& what) {
    if (!limit || static_cast<double>(value) <= static_cast<double>(*limit)) return;
    std::ostringstream text;
    text << what << ": " << value << ", above " << *limit;
    all.push_back(text.str());
  };
  const ReceivedCounts& received = report.received;
  if (report.viewers_without_media > 0) {
    all.push_back(std::to_string(report.viewers_without_media) +
                  " viewers were connected and got no packet");
  }
  demand(loss_percent(received), limits.loss, "loss in percent");
  if (limits.delay_p99_ms && received.delays.total() == 0 && received.packets > 0) {
    all.emplace_back("no delay was measured: the packets of files have no stamps");
  }
  demand(milliseconds(received.delays.percentile(0.99)), limits.delay_p99_ms,
         "99th percentile of the delay in ms");
  demand(milliseconds(received.longest_gap), limits.gap_ms, "longest gap in ms");
  demand(received.corrupt + report.unexpected, limits.corrupt, "corrupt packets");
  demand(received.duplicates, limits.duplicates, "duplicates");
  demand(received.sequence_breaks + received.timestamp_breaks, limits.breaks,
         "breaks of sequence numbers and timestamps");
  return all;
}

std::string to_table(const LoadReport& report) {
  const ReceivedCounts& got = report.received;
  std::ostringstream out;
  const auto row = [&out](const char* name) -> std::ostream& {
    return out << "\n" << std::left << std::setw(22) << name;
  };
  constexpr double kMega = 1e6;
  row("connected") << report.publishers_connected << " of " << report.publishers << " publishers, "
                   << report.viewers_connected << " of " << report.viewers << " viewers; "
                   << report.viewers_with_media << " viewers got media";
  row("POST to answer") << percentiles(report.answered);
  row("POST to connected") << percentiles(report.connected);
  row("POST to first packet") << percentiles(report.first_packet);
  row("published") << report.sent_packets << " packets, " << report.sent_key_frames
                   << " key frames, of which viewers asked for " << report.key_frames_asked
                   << "; frames skipped: " << report.skipped_frames;
  row("received") << got.packets << " packets; in the " << text_of(report.seconds, 1)
                  << " s with all: " << text_of(report.packets_per_second(), 0) << " packets/s, "
                  << text_of(report.bits_per_second() / kMega, 1) << " Mbit/s";
  row("lost") << got.lost << " (" << text_of(loss_percent(got), 4) << " %)";
  row("duplicates") << got.duplicates;
  row("out of order") << got.reordered;
  row("corrupt") << got.corrupt << "; of no stream that was agreed on: " << report.unexpected;
  row("breaks") << got.sequence_breaks << " of sequence numbers, " << got.timestamp_breaks
                << " of timestamps; publishers changed: " << got.source_changes;
  row("delay") << percentiles(got.delays);
  row("worst viewer") << "loss " << text_of(report.worst.loss, 4) << " %, p99 of delay "
                      << text_of(milliseconds(report.worst.delay_p99), 2) << " ms, gap "
                      << text_of(milliseconds(report.worst.longest_gap), 2) << " ms";
  row("checked") << "video: " << text_of(checks(report.video_is_recorded));
  if (report.has_audio) out << "; audio: " << text_of(checks(report.audio_is_recorded));
  row("lost elsewhere") << "to the server, by its own reports: " << report.lost_to_server
                        << "; not read here in time: " << report.dropped_unread
                        << "; not sent from here: " << report.socket_dropped;
  return out.str().substr(1) + "\n";
}

std::string to_json(const LoadReport& report, const std::vector<std::string>& violations) {
  Json failures = Json::object();
  for (const auto& [what, count] : report.failures) failures[what] = count;
  const Worst& worst = report.worst;
  Json checked = {{"video", checks(report.video_is_recorded)}};
  if (report.has_audio) checked["audio"] = checks(report.audio_is_recorded);
  return Json{{"publishers",
               {{"asked", report.publishers},
                {"connected", report.publishers_connected},
                {"packets", report.sent_packets},
                {"bytes", report.sent_bytes},
                {"key_frames", report.sent_key_frames},
                {"key_frames_asked", report.key_frames_asked},
                {"skipped_frames", report.skipped_frames}}},
              {"viewers",
               {{"asked", report.viewers},
                {"connected", report.viewers_connected},
                {"with_media", report.viewers_with_media},
                {"without_media", report.viewers_without_media}}},
              {"failures", failures},
              {"set_up",
               {{"answered", to_json(report.answered)},
                {"connected", to_json(report.connected)},
                {"first_packet", to_json(report.first_packet)}}},
              {"received", to_json(report.received)},
              {"checks", std::move(checked)},
              {"unexpected", report.unexpected},
              {"lost_to_server", report.lost_to_server},
              {"socket_dropped", report.socket_dropped},
              {"dropped_unread", report.dropped_unread},
              {"seconds", report.seconds},
              {"packets_per_second", report.packets_per_second()},
              {"bits_per_second", report.bits_per_second()},
              {"worst_viewer",
               {{"loss_percent", worst.loss},
                {"loss_of", static_cast<std::uint32_t>(worst.loss_of)},
                {"delay_p99_ms", milliseconds(worst.delay_p99)},
                {"longest_gap_ms", milliseconds(worst.longest_gap)}}},
              {"violations", violations}}
             .dump(2) +
         "\n";
}

}  // namespace sluice::interop::load
