// sluice-dtls-server: sends back what comes over DTLS. Options are named as those of
// `openssl s_server`.
#include <sys/signalfd.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <iostream>
#include <thread>

#include "tools/echo_server.h"

namespace {

using sluice::interop::tools::EchoOptions;
using sluice::interop::tools::UdpSocket;

struct Options {
  EchoOptions echo;
  std::string accept = "4433";
  unsigned threads = 1;
  bool no_ticket = false;
  bool no_cache = false;
};

void add_options(CLI::App& app, Options& options) {
  app.add_option("--accept,--port", options.accept,
                 "Where to listen: [address:]port; port 0: any, it is printed")
      ->capture_default_str();
  app.add_option("--naccept", options.echo.accept, "End after so many connections");
  app.add_flag_callback(
      "--listen", [] {}, "Send cookies first: always done, here for the sake of scripts");
  using sluice::dtls::PeerAuthentication;
  app.add_option_function<int>(
      "--verify", [&](int) { options.echo.wanted = PeerAuthentication::request; },
      "Clients are asked for a certificate, and may have none (the number means nothing)");
  app.add_option_function<int>(
      "--Verify", [&](int) { options.echo.wanted = PeerAuthentication::require; },
      "Clients must have a certificate (the number means nothing)");
  app.add_flag("--coap", options.echo.answers_coap,
               "Answer requests as CoAP has them (RFC 7252), instead of sending back what comes");
  app.add_option("--servername", options.echo.server_name,
                 "Close what asks for a server of another name (RFC 6066)");
  app.add_flag("--no_ticket", options.no_ticket,
               "Give no tickets: sessions that may be resumed are kept here");
  app.add_flag("--no_cache", options.no_cache, "With --no_ticket: let no session be resumed");
  add_options(app, options.echo.tool);
  auto* threads =
      app.add_option("--threads", options.threads, "Threads, each with a socket of its own")
          ->check(CLI::Range(1, 256));
  for (const char* single : {"--pcap", "--keylogfile", "--naccept"}) {
    threads->excludes(app.get_option(single));
  }
}

int fail(const std::string& why) {
  std::cerr << "sluice-dtls-server: " << why << '\n';
  return 1;
}

// All on the same port, whatever that is.
tl::expected<std::vector<UdpSocket>, std::string> make_sockets(const Options& options) {
  auto address = sluice::interop::tools::resolve(options.accept);
  if (!address) return tl::unexpected(address.error());
  std::vector<UdpSocket> sockets;
  for (unsigned i = 0; i < options.threads; ++i) {
    auto made = UdpSocket::bind(*address, options.threads > 1);
    if (!made) return tl::unexpected(options.accept + ": " + made.error());
    if (i == 0) *address = sluice::interop::tools::to_socket_address(made->own(), 0);
    sockets.push_back(*std::move(made));
  }
  return sockets;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Sends back what comes over DTLS 1.2 and 1.3."};
  Options options;
  add_options(app, options);
  CLI11_PARSE(app, argc, argv);

  sluice::dtls::ResumptionStore sessions;
  options.echo.sessions = &sessions;
  if (!options.no_ticket) {
    options.echo.tool.resumption = sluice::dtls::Resumption::tickets;
    options.echo.tool.ticket_keys = std::make_shared<sluice::dtls::TicketKeys>();
  } else if (!options.no_cache) {
    options.echo.tool.resumption = sluice::dtls::Resumption::store;
  }

  // Blocked before any thread starts, so that all inherit it; whoever may stop reads them here.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  // Never read but looked at: it stays ready, and so stops every thread.
  const int stop = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);

  auto sockets = make_sockets(options);
  if (!sockets) return fail(sockets.error());
  std::cout << "ACCEPT " << sluice::interop::tools::to_string(sockets->front().own()) << std::endl;
  std::atomic<int> status = 0;
  {
    std::vector<std::jthread> threads;
    for (UdpSocket& socket : *sockets) {
      threads.emplace_back([&] {
        const auto served = serve(socket, options.echo, stop);
        if (!served) status = fail(served.error());
      });
    }
  }
  close(stop);
  return status;
}
