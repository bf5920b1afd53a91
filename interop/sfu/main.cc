// sluice-sfu: a media server. WHIP in, WHEP out.
#include <csignal>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "common/lite/lite_arguments.h"
#include "common/next_process.h"
#include "common/service_manager.h"
#include "common/state/state_file.h"
#include "sfu/cluster/cluster_arguments.h"
#include "sfu/http/sfu_http.h"
#include "sfu/http/trusted_proxies.h"
#include "sfu/media_threads.h"
#include "sfu/operations/activation.h"
#include "sfu/operations/config_file.h"
#include "sfu/operations/event_log.h"
#include "sfu/restart/hand_over.h"
#include "sfu/restart/moved_sfu.h"

namespace {

namespace sfu = sluice::interop::sfu;

using sluice::interop::StateFile;
using sluice::interop::common::StopSignals;

struct Options {
  sfu::LoopOptions loop;
  sfu::SfuHttpOptions http;
  sfu::LogLevel log_level = sfu::LogLevel::info;
  sfu::LogFormat log_format = sfu::LogFormat::logfmt;
  sluice::interop::StateFileOptions state;
  sfu::ClusterArguments cluster;
};

// A duration in whole units.
template <class Unit>
void add_time(CLI::App& app, const std::string& name, sluice::dtls::Duration& value, int least,
              int most, const std::string& help) {
  app.add_option_function<int>(
         name, [&value](int count) { value = Unit{count}; }, help)
      ->check(CLI::Range(least, most))
      ->default_str(std::to_string(std::chrono::duration_cast<Unit>(value).count()));
}

template <class Number>
void add_limit(CLI::App& app, const std::string& name, Number& value, int most,
               const std::string& help) {
  app.add_option(name, value, help)->capture_default_str()->check(CLI::Range(1, most));
}

void add_http_options(CLI::App& app, sfu::SfuHttpOptions& options) {
  app.add_option("--host", options.http.host, "Address to serve HTTP on")->capture_default_str();
  app.add_option("--port", options.http.port,
                 "Port to serve HTTP on. Default: any free port; the URL is printed")
      ->check(CLI::Range(0, 65535));
  app.add_option(
      "--https-certificate", options.http.certificate,
      "PEM file with a certificate, and its chain after it: HTTPS in place of HTTP. SIGHUP "
      "reads it again");
  app.add_option("--https-key", options.http.key, "PEM file with its private key");
  // Other users of this machine see the command line, but not the environment.
  const auto add_token = [&app](const char* name, std::string& token, const char* variable,
                                const char* help) {
    app.add_option(name, token, help)->envname(variable)->check([](const std::string& text) {
      // No client could send another one in a header field.
      const bool is_visible =
          std::ranges::all_of(text, [](char letter) { return letter > ' ' && letter <= '~'; });
      return text.empty() || !is_visible
                 ? std::string{"a token has one or more visible characters of ASCII"}
                 : std::string{};
    });
  };
  add_token("--publish-token", options.publish_token, "SLUICE_SFU_PUBLISH_TOKEN",
            "Bearer token that publishers need. Default: none");
  add_token("--watch-token", options.watch_token, "SLUICE_SFU_WATCH_TOKEN",
            "Bearer token that viewers need. Default: none");
  add_token("--admin-token", options.admin_token, "SLUICE_SFU_ADMIN_TOKEN",
            "Bearer token for /sessions and /metrics. Default: only requests from this machine are "
            "answered");
}

void add_proxies(CLI::App& app, sfu::TrustedProxies& proxies) {
  app.add_option_function<std::vector<std::string>>(
         "--trusted-proxy",
         [&proxies](const std::vector<std::string>& all) {
           for (const std::string& text : all) (void)proxies.add(text);
         },
         "Address or prefix (2001:db8::/32) of a reverse proxy: its requests count by the last "
         "address in Forwarded or X-Forwarded-For that is not one of these; may be given several "
         "times")
      ->check([](const std::string& text) {
        const auto added = sfu::TrustedProxies{}.add(text);
        return added ? std::string{} : added.error();
      });
}

void add_limits(CLI::App& app, sfu::SfuOptions& options) {
  constexpr int kMost = 65535;
  add_limit(app, "--max-rooms", options.max_rooms, kMost, "Largest number of rooms");
  add_limit(app, "--max-publishers", options.max_publishers, kMost,
            "Largest number of publishers in a room");
  add_limit(app, "--max-viewers", options.max_viewers, kMost,
            "Largest number of viewers in a room");
  add_limit(app, "--max-sessions", options.max_sessions, kMost,
            "Largest number of publishers and viewers in all");
  add_limit(app, "--max-sessions-per-address", options.max_sessions_per_address, kMost,
            "Largest number of publishers and viewers from one address; of IPv6: from one /64");
  constexpr int kMostPackets = 32768;
  add_limit(app, "--cache", options.tracks.video_cache, kMostPackets,
            "Packets of a video track that can be sent again; each takes 1.5 kB");
  constexpr int kDay = 86400;
  add_time<std::chrono::seconds>(app, "--connect-timeout", options.connect_timeout, 1, kDay,
                                 "Seconds until a session must be connected");
  add_time<std::chrono::seconds>(app, "--silence", options.silence, 1, kDay,
                                 "Seconds after which a publisher that sends nothing is ended");
  add_time<std::chrono::seconds>(
      app, "--room-hold", options.room_hold, 0, kDay,
      "Seconds that viewers stay in a room after its last publisher has left");
  add_time<std::chrono::milliseconds>(app, "--key-frame-interval",
                                      options.tracks.key_frame_interval, 0, 60'000,
                                      "Least time in ms between two requests for a key frame");
}

void add_log_options(CLI::App& app, Options& options) {
  app.add_option("--log-level", options.log_level,
                 "What is logged, to standard error: error, warning, info (the default) or debug")
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, sfu::LogLevel>{{"error", sfu::LogLevel::error},
                                               {"warning", sfu::LogLevel::warning},
                                               {"info", sfu::LogLevel::info},
                                               {"debug", sfu::LogLevel::debug}}));
  app.add_option("--log-format", options.log_format,
                 "The form of its lines: logfmt (the default) or json")
      ->transform(CLI::CheckedTransformer(std::map<std::string, sfu::LogFormat>{
          {"logfmt", sfu::LogFormat::logfmt}, {"json", sfu::LogFormat::json}}));
}

void add_options(CLI::App& app, Options& options) {
  add_http_options(app, options.http);
  add_proxies(app, options.http.trusted_proxies);
  sluice::interop::add_lite_arguments(app, options.loop.lite);
  app.add_option("--threads", options.loop.threads,
                 "Threads that serve media. With two or more, another one reads the port for them")
      ->capture_default_str()
      ->check(CLI::Range(std::size_t{1}, sfu::kMaxWorkers));
  add_limits(app, options.loop.sfu);
  add_log_options(app, options);
  sfu::add_cluster_arguments(app, options.cluster);
  app.add_option("--state", options.state.file,
                 "File in which the sessions go on in the next server: written on SIGTERM, read "
                 "and removed at the start. SIGUSR2 starts the next server");
  app.add_option("--state-key", options.state.key_file,
                 "File with the key that seals it; made if it is missing. Default: the name of "
                 "--state, and .key");
}

void log_error(const sfu::Log& log, std::string_view event, const std::string& why) {
  log({.level = sfu::LogLevel::error, .event = event, .fields = {{"reason", why}}});
}

int fail(const sfu::Log& log, const std::string& why) {
  log_error(log, "not_started", why);
  return EXIT_FAILURE;
}

// Sockets of the process before, or of systemd, take the place of those that the options name.
tl::expected<void, std::string> take_passed_sockets(const CLI::App& app, Options& options) {
  const auto inherited = sluice::interop::common::inherited_sockets();
  if (!inherited) return tl::unexpected(inherited.error());
  using sluice::interop::common::passed_sockets;
  const auto passed = *inherited ? decltype(passed_sockets())(**inherited) : passed_sockets();
  if (!passed) return tl::unexpected(passed.error());
  const auto found = sfu::assign(*passed);
  if (!found) return tl::unexpected(found.error());
  for (const auto& [name, is_passed] : {std::pair{"--ice-port", found->media.has_value()},
                                        std::pair{"--port", found->http.has_value()},
                                        std::pair{"--host", found->http.has_value()}}) {
    if (!*inherited && is_passed && app.count(name) != 0) {
      return tl::unexpected(std::string{name} + " has no effect: systemd has opened the socket");
    }
  }
  options.loop.lite.adopted = found->media;
  options.http.http.adopted = found->http;
  return {};
}

// What the server before has left. A state that can't be read is reported, and the server begins
// without sessions: it is of no use to refuse new ones, too.
std::optional<sfu::MovedSfu> take_state(StateFile& state, const sfu::Log& log) {
  const auto taken = state.take();
  const auto refuse = [&log](const std::string& why) {
    log_error(log, "state_refused", why);
    return std::nullopt;
  };
  if (!taken) return refuse(taken.error());
  if (!*taken) return std::nullopt;
  auto moved = sfu::decode_moved_sfu((*taken)->bytes());
  if (!moved) return refuse("the state is damaged: " + moved.error());
  return *std::move(moved);
}

// Empty, with the status of the process in `status`: it is to end.
std::unique_ptr<StateFile> open_state(const Options& options, const sfu::Log& log,
                                      const StopSignals& stop, std::optional<int>& status) {
  sluice::interop::StateFileOptions file = options.state;
  if (file.key_file.empty()) file.key_file = file.file + ".key";
  file.content = "sluice-sfu: sessions";
  file.tell = [&log](const std::string& what) {
    log({.event = "state", .fields = {{"reason", what}}});
  };
  file.on_wait = sluice::interop::common::tell_ready;
  auto opened = StateFile::open(std::move(file), stop);
  if (!opened) {
    status = fail(log, opened.error());
    return nullptr;
  }
  if (!*opened) status = EXIT_SUCCESS;  // a signal has come
  return *std::move(opened);
}

// The sockets are closed before the state is there: who binds them anew waits for it.
int leave(std::unique_ptr<sfu::MediaThreads> loop, StateFile& state, const sfu::Log& log) {
  const auto moved = loop->move_out();
  loop.reset();
  log({.event = "moved", .fields = {{"sessions", std::to_string(moved.sessions.size())}}});
  const auto put = state.put(sfu::encode(moved).bytes());
  if (put) return EXIT_SUCCESS;
  log_error(log, "state_not_written", put.error());
  return EXIT_FAILURE;
}

// A new certificate, of which connections know that come from now on.
void reload_certificate(sfu::SfuHttp& http, const sfu::Log& log) {
  const auto loaded = http.reload_certificate();
  if (loaded) return log({.event = "certificate_loaded"});
  log_error(log, "certificate_refused", loaded.error());
}

int serve(const Options& options, std::optional<sfu::ClusterOptions> cluster_options,
          const sfu::Log& log, const sfu::HandOver& hand_over) {
  if (options.http.http.certificate.empty() != options.http.http.key.empty()) {
    return fail(log, "--https-certificate and --https-key need each other");
  }
  if (options.state.file.empty() && !options.state.key_file.empty()) {
    return fail(log, "--state-key needs --state");
  }
  std::unique_ptr<StateFile> state;
  std::optional<sfu::MovedSfu> moved;
  if (!options.state.file.empty()) {
    std::optional<int> status;
    state = open_state(options, log, hand_over.stop(), status);
    if (status) return *status;
    moved = take_state(*state, log);
  }
  auto loop = sfu::start_media(options.loop, moved);
  if (!loop) return fail(log, loop.error());
  // It begins when the URL of the server is known.
  std::unique_ptr<sfu::Cluster> cluster;
  if (cluster_options) {
    cluster_options->log = log;
    cluster = std::make_unique<sfu::Cluster>(*std::move(cluster_options), **loop);
  }
  sfu::SfuHttpOptions http_options = options.http;
  http_options.cluster = cluster.get();
  auto http = sfu::SfuHttp::start(http_options, **loop);
  if (!http) return fail(log, http.error());
  if (cluster) {
    const auto url = sfu::own_node_url(options.cluster, options.http.http.host, (*http)->url());
    if (!url) return fail(log, url.error());
    cluster->begin(*url);
  }
  std::cout << (*http)->url() << std::endl;
  log({.event = "started", .fields = {{"url", (*http)->url()}}});
  sluice::interop::common::tell_service_manager("READY=1");
  const auto media = (*loop)->sockets();
  const auto ending = hand_over.wait(std::array{media.udp, media.tcp, (*http)->listening()},
                                     [&] { reload_certificate(**http, log); });
  log({.event = "stopping"});
  // The one that has taken its place goes on.
  if (ending != sfu::Ending::replaced) {
    sluice::interop::common::tell_service_manager("STOPPING=1");
  }
  http->reset();  // requests have their answers while the media goes on
  if (cluster && ending != sfu::Ending::stopped) cluster->keep_entries();
  cluster.reset();
  if (ending == sfu::Ending::stopped) return EXIT_SUCCESS;
  return leave(*std::move(loop), *state, log);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "A WebRTC media server: publishers send audio and video by WHIP, and any number of viewers "
      "watch by WHEP."};
  Options options;
  add_options(app, options);
  sfu::add_config_file<Options>(app, add_options);
  CLI11_PARSE(app, argc, argv);
  const sfu::Log log = sfu::log_to_stderr(options.log_level, options.log_format);
  options.loop.sfu.log = options.http.log = log;
  const auto cluster = sfu::cluster_options(app, options.cluster);
  if (!cluster) return fail(log, cluster.error());
  options.loop.pulls = cluster->has_value();
  if (const auto taken = take_passed_sockets(app, options); !taken) {
    return fail(log, taken.error());
  }

  const sfu::HandOver hand_over({.arguments = {argv, argv + argc},
                                 .has_state_file = !options.state.file.empty(),
                                 .takes_hang_up = !options.http.http.certificate.empty(),
                                 .log = log});
  signal(SIGPIPE, SIG_IGN);  // a write to a closed connection fails with EPIPE
  return serve(options, *cluster, log, hand_over);
}
