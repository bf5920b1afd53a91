// sluice-demo: answers a browser's call over HTTP and sends back what comes.
#include <csignal>

#include <CLI/CLI.hpp>
#include <array>
#include <iostream>

#include "server/echo_service.h"
#include "server/http_server.h"
#include "server/recorder.h"

namespace {

using sluice::interop::HttpOptions;
using sluice::interop::ServiceOptions;

struct Options {
  HttpOptions http;
  ServiceOptions service;
  sluice::interop::RecorderFiles files;
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

// CLI11 has checked the words.
void set_profiles(ServiceOptions& options, const std::vector<std::string>& words) {
  for (const auto& word : words) {
    for (const auto profile : kProfiles) {
      if (word == sluice::dtls::to_string(profile)) options.srtp_profiles.push_back(profile);
    }
  }
}

void add_options(CLI::App& app, Options& options) {
  auto& service = options.service;
  app.add_option("--host", options.http.host, "The address to serve HTTP on")
      ->capture_default_str();
  app.add_option("--port", options.http.port, "The port to serve HTTP on; 0: any, it is printed")
      ->check(CLI::Range(0, 65535));
  app.add_option_function<std::string>(
         "--setup",
         [&service](const std::string& word) {
           service.setup =
               word == "active" ? sluice::nice::Setup::active : sluice::nice::Setup::passive;
         },
         "Our DTLS role where the offer leaves it to us: active (client, the default) or passive")
      ->check(CLI::IsMember({"active", "passive"}));
  app.add_option("--max-sessions", service.max_sessions, "Calls at a time")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  app.add_option_function<std::vector<std::string>>(
         "--srtp-profile", [&service](const auto& words) { set_profiles(service, words); },
         "An SRTP profile to accept; several in order of preference")
      ->check(CLI::IsMember(profile_names()));
  app.add_option_function<std::string>(
         "--dtls-max",
         [&service](const std::string& word) {
           service.max_version = word == "1.2" ? sluice::dtls::ProtocolVersion::dtls12
                                               : sluice::dtls::ProtocolVersion::dtls13;
         },
         "The newest DTLS version to speak: 1.2 or 1.3 (the default)")
      ->check(CLI::IsMember({"1.2", "1.3"}));
  app.add_option("--ice-address", service.ice.local_addresses,
                 "An address for ICE; several may be given. Default: all, loopback too");
  app.add_option("--keylog", options.files.key_log,
                 "Add the secrets of DTLS to this file, in the format of SSLKEYLOGFILE");
  app.add_option("--pcap", options.files.capture,
                 "Write DTLS to this file for Wireshark (pcapng), with the secrets inside");
}

// Waits until the process is asked to end. The signals are blocked in every thread.
void wait_for_end(const sigset_t& signals) {
  int signal = 0;
  sigwait(&signals, &signal);
}

int serve(Options options, const sigset_t& signals) {
  sluice::interop::Recorder recorder(options.files);
  if (!recorder.ok()) {
    std::cerr << "sluice-demo: --keylog or --pcap: the file can't be written\n";
    return 1;
  }
  const auto watched = recorder.environment_options();
  options.service.key_log = watched.key_log;
  options.service.packet_observer = watched.packet_observer;
  sluice::nice::GlibThread thread;
  auto service = thread.call(
      [&] { return sluice::interop::EchoService::make(options.service, thread.context()); });
  if (!service) {
    std::cerr << "sluice-demo: " << service.error() << "\n";
    return 1;
  }
  int status = 0;
  if (auto server = sluice::interop::HttpServer::start(options.http, thread, **service)) {
    std::cout << "http://" << options.http.host << ":" << (*server)->port() << "/" << std::endl;
    wait_for_end(signals);
  } else {
    std::cerr << "sluice-demo: " << server.error() << "\n";
    status = 1;
  }
  // Sessions live and die on their thread.
  thread.call([&] { service->reset(); });
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Answers a browser's WebRTC call and sends everything back."};
  Options options;
  options.service.ice.include_loopback = true;
  // RFC 8445 section 14.2: the least on the open network; a call on loopback is up that much
  // sooner.
  options.service.ice.pacing = std::chrono::milliseconds{5};
  add_options(app, options);
  CLI11_PARSE(app, argc, argv);

  // Before any thread starts, so that all inherit it and only wait_for_end() takes them.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);  // a client that hangs up is no reason to end
  return serve(std::move(options), signals);
}
