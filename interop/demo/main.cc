// sluice-demo: answers a browser's WebRTC call over HTTP and echoes its media and messages.
#include <csignal>

#include <CLI/CLI.hpp>
#include <array>
#include <iostream>
#include <string>

#include "common/lite/lite_arguments.h"
#include "common/recorder.h"
#include "common/state/state_file.h"
#include "common/stop_signals.h"
#include "demo/echo_service.h"
#include "demo/http_server.h"

namespace {

using sluice::interop::HttpOptions;
using sluice::interop::StateFile;
using sluice::interop::common::StopSignals;
using sluice::interop::demo::EchoService;
using sluice::interop::demo::IceAgent;
using sluice::interop::demo::ServiceOptions;
using sluice::nice::GlibThread;

struct Options {
  HttpOptions http;
  ServiceOptions service;
  sluice::interop::common::RecorderFiles files;
  sluice::interop::StateFileOptions state;
};

constexpr std::array kProfiles = {sluice::dtls::SrtpProfile::aead_aes_256_gcm,
                                  sluice::dtls::SrtpProfile::aead_aes_128_gcm,
                                  sluice::dtls::SrtpProfile::aes128_cm_hmac_sha1_80,
                                  sluice::dtls::SrtpProfile::aes128_cm_hmac_sha1_32};

std::vector<std::string> profile_names() {
  std::vector<std::string> names;
  names.reserve(kProfiles.size());
  for (const auto profile : kProfiles) names.emplace_back(sluice::dtls::to_string(profile));
  return names;
}

// CLI11 has checked the names.
void set_profiles(ServiceOptions& options, const std::vector<std::string>& words) {
  for (const auto& word : words) {
    for (const auto profile : kProfiles) {
      if (word == sluice::dtls::to_string(profile)) options.srtp_profiles.push_back(profile);
    }
  }
}

void add_state_options(CLI::App& app, Options& options) {
  auto* state_key = app.add_option("--state-key", options.state.key_file,
                                   "File of the key for --state. It is made if it is missing; "
                                   "others must not have access to it");
  app.add_option("--state", options.state.file,
                 "On SIGTERM keep the calls in this file; the next server with the same options "
                 "goes on with them. With --ice lite and --ice-port")
      ->needs(state_key);
  state_key->needs("--state");
}

void add_ice_options(CLI::App& app, Options& options) {
  auto& service = options.service;
  app.add_option_function<std::string>(
         "--ice",
         [&service](const std::string& word) {
           service.agent = word == "lite" ? IceAgent::lite : IceAgent::libnice;
         },
         "ICE agent: lite (the default), with one UDP and TCP port for all calls, or libnice, with "
         "a port per call and address. --ice-port, --ice-candidates and --announce are for lite")
      ->check(CLI::IsMember({"lite", "libnice"}));
  sluice::interop::add_lite_arguments(app, service.lite);
}

// An option of the other agent would have no effect.
const char* option_of_other_agent(const CLI::App& app, IceAgent agent) {
  if (agent == IceAgent::lite) return nullptr;
  for (const char* name : {"--ice-port", "--ice-candidates", "--announce"}) {
    if (app.count(name) != 0) return name;
  }
  return nullptr;
}

void add_options(CLI::App& app, Options& options) {
  auto& service = options.service;
  app.add_option("--host", options.http.host, "Address to serve HTTP on")->capture_default_str();
  app.add_option("--port", options.http.port,
                 "Port to serve HTTP on. Default: any free port; the URL is printed")
      ->check(CLI::Range(0, 65535));
  app.add_option_function<std::string>(
         "--setup",
         [&service](const std::string& word) {
           service.setup =
               word == "active" ? sluice::interop::Setup::active : sluice::interop::Setup::passive;
         },
         "The server's DTLS role when the offer says actpass: passive (server, the default) or "
         "active (client)")
      ->check(CLI::IsMember({"active", "passive"}));
  app.add_option("--max-sessions", service.max_sessions, "Largest number of calls at the same time")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  app.add_option("--max-sessions-per-address", service.max_sessions_per_address,
                 "Largest number of calls at the same time from one address. Default: half of all")
      ->check(CLI::Range(1, 1000));
  app.add_option_function<std::vector<std::string>>(
         "--srtp-profile", [&service](const auto& words) { set_profiles(service, words); },
         "SRTP protection profile to accept; give several in order of preference")
      ->check(CLI::IsMember(profile_names()));
  app.add_option_function<std::string>(
         "--dtls-max",
         [&service](const std::string& word) {
           service.max_version = word == "1.2" ? sluice::dtls::ProtocolVersion::dtls12
                                               : sluice::dtls::ProtocolVersion::dtls13;
         },
         "Newest DTLS version: 1.2 or 1.3 (the default)")
      ->check(CLI::IsMember({"1.2", "1.3"}));
  add_ice_options(app, options);
  app.add_option("--keylog", options.files.key_log,
                 "Append the DTLS secrets to this file (SSLKEYLOGFILE format)");
  app.add_option("--pcap", options.files.capture,
                 "Record DTLS to this file for Wireshark (pcapng with the secrets inside)");
}

int fail(const std::string& what) {
  std::cerr << "sluice-demo: " << what << "\n";
  return 1;
}

// Goes on with the calls of the server before this one.
tl::expected<void, std::string> take_calls(StateFile& state, GlibThread& thread,
                                           EchoService& service) {
  const auto calls = state.take();
  if (!calls) return tl::unexpected(calls.error());
  if (!*calls) return {};
  const auto restored = thread.call([&] { return service.move_in((*calls)->bytes()); });
  if (!restored) return tl::unexpected("--state: " + restored.error());
  std::clog << "calls that go on: " + std::to_string(*restored) + "\n";
  return {};
}

// Serves HTTP until a signal comes.
int serve_http(const HttpOptions& options, GlibThread& thread, EchoService& service,
               const StopSignals& stop) {
  const auto server = sluice::interop::demo::HttpServer::start(options, thread, service);
  if (!server) return fail(server.error());
  std::cout << (*server)->url() << std::endl;
  stop.wait();
  return 0;
}

int serve(Options options, const StopSignals& stop) {
  sluice::interop::common::Recorder recorder(options.files);
  if (!recorder.ok()) return fail("--keylog or --pcap: the file can't be written");
  const auto watched = recorder.environment_options();
  options.service.key_log = watched.key_log;
  options.service.packet_observer = watched.packet_observer;
  std::unique_ptr<StateFile> state;
  if (!options.state.file.empty()) {
    options.state.content = "sluice-demo: calls";
    options.state.tell = [](const std::string& what) { std::clog << what + "\n"; };
    auto opened = StateFile::open(options.state, stop);
    if (!opened) return fail(opened.error());
    if (!*opened) return 0;
    state = *std::move(opened);
  }
  GlibThread thread;
  auto service = thread.call([&] { return EchoService::make(options.service, thread.context()); });
  if (!service) return fail(service.error());
  if (state) {
    if (const auto taken = take_calls(*state, thread, **service); !taken) {
      thread.call([&] { service->reset(); });
      return fail(taken.error());
    }
  }
  int status = serve_http(options.http, thread, **service, stop);
  // The port is free when the calls are in the file: the next server waits for both.
  const auto moved = thread.call([&] {
    auto calls = state ? (*service)->move_out() : sluice::dtls::SecretBytes();
    // Sessions must be destroyed on their thread.
    service->reset();
    return calls;
  });
  if (state && status == 0) {
    if (const auto put = state->put(moved.bytes()); !put) status = fail(put.error());
  }
  state.reset();
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "WebRTC demo server: answers a browser's call and sends its audio, video and data "
      "channel messages back."};
  Options options;
  options.service.ice.include_loopback = true;
  // RFC 8445 section 14.2: at least 5 ms, 50 ms by default. A call on loopback connects sooner with
  // the least.
  options.service.ice.pacing = std::chrono::milliseconds{5};
  add_options(app, options);
  add_state_options(app, options);
  CLI11_PARSE(app, argc, argv);
  options.service.ice.local_addresses = options.service.lite.addresses;

  if (const char* other = option_of_other_agent(app, options.service.agent)) {
    return fail(std::string{other} + " needs --ice lite");
  }
  if (!options.state.file.empty()) {
    if (options.service.agent != IceAgent::lite) return fail("--state needs --ice lite");
    if (options.service.lite.port == 0) return fail("--state needs --ice-port");
  }
  const StopSignals stop;
  signal(SIGPIPE, SIG_IGN);  // a write to a closed connection fails with EPIPE
  return serve(std::move(options), stop);
}
