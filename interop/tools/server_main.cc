// sluice-dtls-server: an echo server over DTLS. Its options are named like those of `openssl
// s_server`.
#include <atomic>
#include <iostream>
#include <thread>

#include "common/random_numbers.h"
#include "common/stop_signals.h"
#include "tools/echo_server.h"
#include "tools/steering.h"

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
                 "Address to listen on: [address:]port. Port 0: any free port; it is printed")
      ->capture_default_str();
  app.add_option("--naccept", options.echo.accept, "Exit after this many connections");
  app.add_flag_callback(
      "--listen", [] {}, "No effect, for scripts written for openssl: cookies are always used");
  using sluice::dtls::PeerAuthentication;
  app.add_option_function<int>(
      "--verify", [&](int) { options.echo.wanted = PeerAuthentication::request; },
      "Ask clients for a certificate; they need not have one (the number is ignored)");
  app.add_option_function<int>(
      "--Verify", [&](int) { options.echo.wanted = PeerAuthentication::require; },
      "Require a certificate of clients (the number is ignored)");
  app.add_flag("--coap", options.echo.answers_coap,
               "Answer CoAP requests (RFC 7252) instead of echoing");
  app.add_option("--servername", options.echo.server_name,
                 "Close connections whose client asks for another server name (RFC 6066)");
  app.add_flag("--no_ticket", options.no_ticket,
               "Issue no tickets; keep sessions in the server to resume them");
  app.add_flag("--no_cache", options.no_cache, "With --no_ticket: no session can be resumed");
  add_options(app, options.echo.tool);
  auto* threads =
      app.add_option("--threads", options.threads,
                     "Number of threads, each with its own socket. With --cid, which must be 6 to "
                     "20 then, a client reaches its thread from any address")
          ->check(CLI::Range(1, 256));
  for (const char* single : {"--pcap", "--keylogfile", "--naccept"}) {
    threads->excludes(app.get_option(single));
  }
}

int report_failure(const std::string& why) {
  std::cerr << "sluice-dtls-server: " << why << '\n';
  return 1;
}

// One socket per thread, all on the same port.
tl::expected<std::vector<UdpSocket>, std::string> make_sockets(const Options& options) {
  auto address = sluice::interop::tools::resolve(options.accept);
  if (!address) return tl::unexpected(address.error());
  std::vector<UdpSocket> sockets;
  for (unsigned i = 0; i < options.threads; ++i) {
    auto made = UdpSocket::bind(*address, {.shares_port = options.threads > 1});
    if (!made) return tl::unexpected(options.accept + ": " + made.error());
    if (i == 0) *address = sluice::interop::tools::to_socket_address(made->own(), 0);
    sockets.push_back(*std::move(made));
  }
  return sockets;
}

// With --threads and --cid the kernel leads each datagram to the thread that its ID names.
tl::expected<void, std::string> steer(const UdpSocket& socket, Options& options) {
  const auto id_size = options.echo.tool.connection_id_size.value_or(0);
  if (options.threads == 1 || id_size == 0) return {};
  auto checked = sluice::interop::tools::check_routable(id_size, options.threads);
  if (!checked) return checked;
  sluice::interop::tools::RoutingKey key{};
  for (std::byte& byte : key) {
    byte = static_cast<std::byte>(sluice::interop::common::random_u32() & 0xff);
  }
  options.echo.routing_key = key;
  return sluice::interop::tools::steer_by_connection_id(socket);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"DTLS echo server: sends back what clients send over DTLS 1.2 and 1.3."};
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

  const sluice::interop::common::StopSignals stop;
  auto sockets = make_sockets(options);
  if (!sockets) return report_failure(sockets.error());
  if (const auto steered = steer(sockets->front(), options); !steered) {
    return report_failure(steered.error());
  }
  std::cout << "ACCEPT " << sluice::interop::tools::to_string(sockets->front().own()) << std::endl;
  std::atomic<int> status = 0;
  {
    std::vector<std::jthread> threads;
    for (UdpSocket& socket : *sockets) {
      const auto worker = static_cast<std::uint8_t>(threads.size());
      threads.emplace_back([&, worker] {
        const auto served = serve(socket, options.echo, worker, stop.descriptor());
        if (!served) status = report_failure(served.error());
      });
    }
  }
  return status;
}
