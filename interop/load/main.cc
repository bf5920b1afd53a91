// sluice-load: load for a media server, by WHIP and WHEP.
#include <CLI/CLI.hpp>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>
#include <tuple>

#include "common/stop_signals.h"
#include "load/load_run.h"

namespace {

namespace load = sluice::interop::load;

struct Options {
  std::string video;
  std::string audio;
  load::LoadOptions run;
  load::Limits limits;
  std::string json;
};

constexpr int kMost = 65535;

template <class Number>
CLI::Option* add_count(CLI::App& app, const std::string& name, Number& value, int least, int most,
                       const std::string& help) {
  return app.add_option(name, value, help)->capture_default_str()->check(CLI::Range(least, most));
}

void add_clients(CLI::App& app, load::LoadOptions& run) {
  app.add_option("--publish", run.publish,
                 "URL of a WHIP endpoint to publish to. {n} in it stands for the number of the "
                 "room, from 0; see --rooms");
  app.add_option("--watch", run.watch, "URL of a WHEP endpoint to watch; {n} as in --publish");
  add_count(app, "--publishers", run.publishers, 0, kMost, "Number of publishers");
  add_count(app, "--viewers", run.viewers, 0, kMost, "Number of viewers");
  add_count(app, "--rooms", run.rooms, 1, kMost,
            "Number of rooms, to which publishers and viewers are given in turn");
  add_count(app, "--seats", run.seats, 1, 16,
            "Publishers that a viewer sees: sections of each kind in its offer");
  // Other users of this machine see the command line, but not the environment.
  app.add_option("--publish-token", run.publish_token, "Bearer token of publishers")
      ->envname("SLUICE_LOAD_PUBLISH_TOKEN");
  app.add_option("--watch-token", run.watch_token, "Bearer token of viewers")
      ->envname("SLUICE_LOAD_WATCH_TOKEN");
  app.add_flag("--insecure", run.is_insecure, "Take any certificate of an https server");
  app.add_option("--bind", run.bind,
                 "Local IP address of all clients. Default: the one that the system would use "
                 "towards the server");
}

void add_media(CLI::App& app, Options& options) {
  constexpr int kMostBits = 1'000'000'000;
  load::LoadOptions& run = options.run;
  auto* const bitrate = add_count(app, "--bitrate", run.video.bitrate, 1, kMostBits,
                                  "Bit/s of video of each publisher, without the headers of RTP");
  auto* const fps = add_count(app, "--fps", run.video.frames, 1, 1000, "Frames of video a second");
  add_count(app, "--packet-size", run.video.packet_size, 1, 65535,
            "Largest payload of a packet of video in bytes");
  app.add_option("--video", options.video,
                 "IVF file with VP8, VP9 or AV1 to publish in place of a made-up stream, again and "
                 "again; viewers compare what comes with it")
      ->excludes(bitrate, fps);
  app.add_flag("--audio", run.has_audio, "Publish and watch audio, too");
  auto* const audio_bitrate = add_count(app, "--audio-bitrate", run.audio.bitrate, 1, kMostBits,
                                        "Bit/s of audio, in 50 packets a second");
  app.add_option("--audio-file", options.audio, "Ogg file with Opus to publish in the same way")
      ->excludes(audio_bitrate);
  app.add_flag("--nack", run.has_nack, "Viewers ask for lost packets");
}

void add_course(CLI::App& app, load::LoadOptions& run) {
  app.add_option("--duration", run.duration, "Seconds to run after all have been set up")
      ->capture_default_str()
      ->check(CLI::Range(0.1, 1e6));
  app.add_option("--ramp", run.ramp, "Offers a second; 0: as fast as the server answers")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1e6));
  add_count(app, "--parallel", run.parallel, 1, 256, "HTTP connections at a time");
  app.add_option_function<int>(
         "--connect-timeout",
         [&run](int seconds) { run.connect_timeout = std::chrono::seconds{seconds}; },
         "Seconds after the last answer in which all must be connected")
      ->check(CLI::Range(1, 3600))
      ->default_str("15");
  app.add_option("--churn", run.churn, "Viewers that leave, each for another one, a second")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1000.0));
  app.add_flag("--vanish", run.vanishes, "Clients end without a word: no DELETE, no close_notify");
  app.add_option("--loss", run.loss,
                 "Percent of the datagrams that are dropped here, of those that come and of those "
                 "that leave")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 100.0));
  app.add_option("--seed", run.seed, "Of what is random about --loss and --churn")
      ->capture_default_str();
  add_count(app, "--threads", run.threads, 1, 256, "Threads that the clients are divided among");
}

void add_limits(CLI::App& app, load::Limits& limits) {
  app.add_option("--max-loss", limits.loss, "Percent of packets that may be lost");
  app.add_option("--max-delay-p99", limits.delay_p99_ms,
                 "99th percentile of the delay, in ms, of all packets");
  app.add_option("--max-gap", limits.gap_ms, "Longest time without a packet, in ms, of any stream");
  app.add_option("--max-corrupt", limits.corrupt,
                 "Packets with a payload that no publisher has sent");
  app.add_option("--max-duplicates", limits.duplicates, "Packets that came more than once");
  app.add_option("--max-breaks", limits.breaks,
                 "Places where RTP sequence numbers or timestamps do not go on as the publisher's");
}

int fail(const std::string& what) {
  std::cerr << "sluice-load: " << what << "\n";
  return EXIT_FAILURE;
}

tl::expected<void, std::string> read_files(Options& options) {
  using sluice::interop::SectionKind;
  load::LoadOptions& run = options.run;
  if (auto checked = load::check(run.video); !checked) {
    return tl::unexpected("video: " + checked.error());
  }
  const std::size_t most = run.video.packet_size;
  for (const auto& [path, kind, recording] :
       {std::tuple{&options.video, SectionKind::video, &run.video_recording},
        std::tuple{&options.audio, SectionKind::audio, &run.audio_recording}}) {
    if (path->empty()) continue;
    auto read = load::Recording::read(kind, *path, most);
    if (!read) return tl::unexpected(read.error());
    *recording = *std::move(read);
  }
  if (run.audio_recording) run.has_audio = true;
  return {};
}

int run(const Options& options) {
  const auto report = load::run_load(options.run);
  if (!report) return fail(report.error());
  const auto violations = load::violations(*report, options.limits);
  std::cout << load::to_table(*report);
  if (!options.json.empty()) {
    std::ofstream file(options.json);
    file << load::to_json(*report, violations);
    file.close();
    if (!file) return fail("can't write " + options.json);
  }
  for (const std::string& violation : violations) fail(violation);
  return violations.empty() ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "Load for a WebRTC media server: publishers that send a made-up stream or a file by WHIP, "
      "and viewers "
      "that watch by WHEP and judge each packet: whether it is lost, late, repeated, changed or "
      "renumbered."};
  app.footer(
      "Exit status: 0 all clients were served as the limits ask; 1 they were not, or the load "
      "could not be made.");
  Options options;
  add_clients(app, options.run);
  add_media(app, options);
  add_course(app, options.run);
  add_limits(app, options.limits);
  app.add_option("--json", options.json, "File for the results as JSON");
  CLI11_PARSE(app, argc, argv);

  if (auto read = read_files(options); !read) return fail(read.error());
  const sluice::interop::common::StopSignals stop;
  signal(SIGPIPE, SIG_IGN);  // a write to a closed connection fails with EPIPE
  options.run.stop_descriptor = stop.descriptor();
  options.run.log = [](const std::string& line) { std::clog << line + "\n"; };
  return run(options);
}
