// A whole run: clients are set up by HTTP, run on their threads, judged and ended.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "common/client/whip_client.h"
#include "load/load_report.h"
#include "load/packet_source.h"
#include "load/recording/recording.h"

namespace sluice::interop::load {

struct LoadOptions {
  // URLs of WHIP and WHEP endpoints. "{n}" in them stands for the number of a room, from 0.
  std::string publish = {};  // empty: there are no publishers
  std::string watch = {};    // empty: there are no viewers
  std::string publish_token = {};
  std::string watch_token = {};
  bool is_insecure = false;  // HttpEndpoint::is_insecure
  std::size_t publishers = 1;
  std::size_t viewers = 1;
  // Publishers and viewers take turns with "{n}".
  std::size_t rooms = 1;
  // Publishers that a viewer sees: pairs of sections of its offer.
  std::size_t seats = 1;
  SourceOptions video = {};
  bool has_audio = false;
  SourceOptions audio = {.kind = SectionKind::audio, .bitrate = 32'000, .frames = 50};
  // In place of the made-up streams. They play again and again.
  std::shared_ptr<const Recording> video_recording = {};
  std::shared_ptr<const Recording> audio_recording = {};  // only with has_audio
  bool has_nack = false;

  std::string bind = {};     // IP address of all sockets; empty: the one towards the server
  double ramp = 100;         // offers a second; 0: as fast as the server answers
  std::size_t parallel = 8;  // HTTP connections at a time
  dtls::Duration connect_timeout = std::chrono::seconds{15};  // after the last answer
  double duration = 10;                                       // seconds from when all are connected
  double churn = 0;       // viewers that leave, and others that come, a second
  bool vanishes = false;  // clients end without a word
  std::size_t threads = 1;
  double loss = 0;  // percent of datagrams that are dropped, each way
  std::uint64_t seed = 1;

  std::function<void(const std::string&)> log = {};  // a line for each step; may be empty
  int stop_descriptor = -1;                          // readable: end now; negative: none
};

// The error says which option can't be honoured, or what failed before the first client. What fails
// later stands in the report.
tl::expected<LoadReport, std::string> run_load(const LoadOptions& options);

}  // namespace sluice::interop::load
