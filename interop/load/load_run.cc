#include "load/load_run.h"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <random>
#include <thread>

#include "common/clock.h"
#include "load/load_members.h"

namespace sluice::interop::load {
namespace {

// So long after the publishers have stopped a packet may still be on its way.
constexpr std::chrono::seconds kLastPackets{1};

// Beside the sockets of the clients: HTTP, epoll, and what every process has.
constexpr std::size_t kOtherDescriptors = 256;

tl::expected<void, std::string> allow_descriptors(std::size_t count) {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  if (files.rlim_cur >= count) return {};
  files.rlim_cur = count;
  if (count > files.rlim_max || setrlimit(RLIMIT_NOFILE, &files) != 0) {
    return tl::unexpected("each client has a socket, and this process may not have " +
                          std::to_string(count) + " open files (ulimit -n)");
  }
  return {};
}

tl::expected<void, std::string> check_options(const LoadOptions& options) {
  if (options.publish.empty() && options.watch.empty()) {
    return tl::unexpected<std::string>("there is neither an URL to publish to nor one to watch");
  }
  for (const std::string& url : {options.publish, options.watch}) {
    if (url.empty()) continue;
    if (const auto parsed = parse_url(url); !parsed) return tl::unexpected(parsed.error());
    if (options.rooms > 1 && url.find("{n}") == std::string::npos) {
      return tl::unexpected("several rooms, and no {n} in " + url);
    }
  }
  if (auto checked = check(options.video); !checked) {
    return tl::unexpected("video: " + checked.error());
  }
  if (auto checked = check(options.audio); options.has_audio && !checked) {
    return tl::unexpected("audio: " + checked.error());
  }
  return {};
}

// Until the time is over. False: told to stop.
bool run_for(LoadMembers& members, const LoadOptions& options) {
  constexpr double kMicroseconds = 1e6;
  const auto start = common::now();
  const auto until =
      start + dtls::Duration(static_cast<std::int64_t>(options.duration * kMicroseconds));
  if (options.churn <= 0) return !members.wait(until - start);
  std::mt19937_64 random(options.seed);
  WhipClient http;
  const dtls::Duration interval(static_cast<std::int64_t>(kMicroseconds / options.churn));
  for (auto next = start + interval; next < until; next += interval) {
    if (members.wait(std::max(next - common::now(), dtls::Duration{}))) return false;
    if (common::now() >= until) break;
    const std::size_t viewers = members.viewers();
    if (viewers > 0) members.replace_viewer(random() % viewers, http);
  }
  // The last ones get something, too.
  constexpr std::chrono::milliseconds kSettled{500};
  return !members.wait(std::max(until - common::now(), dtls::Duration{})) &&
         members.wait_connected() && !members.wait(kSettled);
}

}  // namespace

tl::expected<LoadReport, std::string> run_load(const LoadOptions& options) {
  if (auto checked = check_options(options); !checked) return tl::unexpected(checked.error());
  const std::size_t publishers = options.publish.empty() ? 0 : options.publishers;
  const std::size_t viewers = options.watch.empty() ? 0 : options.viewers;
  const auto allowed = allow_descriptors(publishers + viewers + kOtherDescriptors);
  if (!allowed) return tl::unexpected(allowed.error());
  const auto log = [&](const std::string& line) {
    if (options.log) options.log(line);
  };

  auto members = LoadMembers::make(options);
  if (!members) return tl::unexpected(members.error());
  const auto join = [&](bool publish, std::size_t count) {
    if (count > 0)
      log("setting up " + std::to_string(count) + (publish ? " publishers" : " viewers"));
    return (*members)->join_all(publish, count);
  };
  const bool goes_on = join(true, publishers) && join(false, viewers);
  const auto start = common::now();
  const Traffic before = (*members)->traffic();
  if (goes_on) {
    log("running");
    run_for(**members, options);
  }
  const Traffic after = (*members)->traffic();
  const auto end = common::now();
  (*members)->stop_publishers();
  std::this_thread::sleep_for(kLastPackets);
  LoadReport report = (*members)->end();
  report.video_is_recorded = options.video_recording != nullptr;
  report.has_audio = options.has_audio;
  report.audio_is_recorded = options.audio_recording != nullptr;
  report.seconds = std::chrono::duration<double>(end - start).count();
  report.packets_meanwhile = after.packets - before.packets;
  report.bytes_meanwhile = after.bytes - before.bytes;
  return report;
}

}  // namespace sluice::interop::load
