// What a run has shown, and whether that is what was asked.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "load/worker.h"

namespace sluice::interop::load {

// The viewers that fared worst.
struct Worst {
  MemberId loss_of{};
  double loss = 0;  // percent
  dtls::Duration delay_p99{};
  dtls::Duration longest_gap{};
};

struct LoadReport {
  // ---- what can be judged of each kind: RecordingCheck or StreamCheck
  bool video_is_recorded = false;
  bool has_audio = false;
  bool audio_is_recorded = false;
  // ---- set-up
  std::size_t publishers = 0;  // that were asked for, with those of churn
  std::size_t viewers = 0;
  std::size_t publishers_connected = 0;
  std::size_t viewers_connected = 0;
  std::size_t viewers_with_media = 0;
  // That were connected at the end, or before they left for kPatience.
  std::size_t viewers_without_media = 0;
  static constexpr std::chrono::seconds kPatience{3};
  std::map<std::string, std::size_t> failures = {};  // what went wrong, how often
  DelayHistogram answered = {};                      // from the POST to the answer
  DelayHistogram connected = {};                     // from the POST until DTLS was connected
  DelayHistogram first_packet = {};  // from the POST to the first RTP packet of a viewer
  // ---- what was sent and received, from the beginning to the end
  std::uint64_t sent_packets = 0;
  std::uint64_t sent_bytes = 0;  // of payload
  std::uint64_t sent_key_frames = 0;
  std::uint64_t key_frames_asked = 0;
  std::uint64_t skipped_frames = 0;
  ReceivedCounts received = {};
  std::uint64_t unexpected = 0;
  std::uint64_t lost_to_server = 0;  // of what was sent, as the server reports it
  std::uint64_t socket_dropped = 0;  // datagrams that the kernel did not take from here
  // Pieces of one or several datagrams that came, and were not read in time.
  std::uint64_t dropped_unread = 0;
  Worst worst = {};
  // ---- while all were there
  double seconds = 0;
  std::uint64_t packets_meanwhile = 0;  // received
  std::uint64_t bytes_meanwhile = 0;    // of payload

  // `has_left`: before the end of the run.
  void add(const MemberReport& member, bool has_left = false);
  void fail(const std::string& what) { ++failures[what]; }
  [[nodiscard]] double packets_per_second() const;
  [[nodiscard]] double bits_per_second() const;
};

// In percent of what should have come.
double loss_percent(const ReceivedCounts& counts);

// Empty: anything goes.
struct Limits {
  std::optional<double> loss = {};            // percent
  std::optional<double> delay_p99_ms = {};    // of all packets
  std::optional<double> gap_ms = {};          // of any stream
  std::optional<std::uint64_t> corrupt = {};  // packets
  std::optional<std::uint64_t> duplicates = {};
  std::optional<std::uint64_t> breaks = {};  // of sequence numbers and timestamps together
};

// What is not as it was asked, one sentence each. Clients that have failed are always among it, and
// viewers without media.
std::vector<std::string> violations(const LoadReport& report, const Limits& limits);

std::string to_table(const LoadReport& report);
std::string to_json(const LoadReport& report, const std::vector<std::string>& violations);

}  // namespace sluice::interop::load
