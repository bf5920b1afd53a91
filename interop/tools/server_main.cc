// sluice-dtls-server: an echo server over DTLS. Its options are named like those of `openssl
// s_server`.
#include <sluice/udp/address.h>
#include <sluice/udp/steering.h>

#include <atomic>
#include <iostream>
#include <thread>

#include "common/random_numbers.h"
#include "common/stop_signals.h"
#include "tools/echo_server.h"

namespace {

using sluice::interop::tools::EchoOptions;
using sluice::udp::Socket;

struct Options {
  EchoOptions echo;
  std::string accept = "4433";
  unsigned threads = 1;
  bool no_ticket = false;
  bool no_cache = false;
  std::string store;
  std::string keys;
  double ticket_rotation = 86400;  // seconds
};

void add_store_options(CLI::App& app, Options& options) {
  auto* store =
      app.add_option("--store", options.store,
                     "Keep sessions that have connection IDs in a store: memory, lmdb:PATH or "
                     "redis:HOST:PORT. lmdb and redis also get all sessions at the end (SIGTERM, "
                     "SIGINT), and the next server goes on with them")
          ->needs(app.get_option("--cid"));
  app.add_option("--age-after", options.echo.age_after,
                 "Seconds without a record of the client after which its session goes into the "
                 "store, until a datagram comes for it. Default: never")
      ->check(CLI::Range(0.1, 86400.0 * 365))
      ->needs(store);
  app.add_flag("--snapshots", options.echo.takes_snapshots,
               "Keep a snapshot of each session in the store, so that sessions also go on after a "
               "crash (kill -9). Needs --store lmdb")
      ->needs(store);
  app.add_option("--tickets-key", options.keys,
                 "File with the keys for tickets, cookies and stored sessions, which servers of a "
                 "cluster share. It is made if it is missing, and gets the ticket keys that "
                 "follow. Default: new keys");
  app.add_option("--ticket-rotation", options.ticket_rotation,
                 "Seconds after which new ticket keys follow. A ticket is valid for one to two "
                 "times as long")
      ->capture_default_str()
      ->check(CLI::Range(1.0, 86400.0 * 365))
      ->excludes(app.get_option("--no_ticket"));
}

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
  add_store_options(app, options);
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
tl::expected<std::vector<Socket>, std::string> make_sockets(const Options& options) {
  auto address = sluice::udp::resolve(options.accept);
  if (!address) return tl::unexpected(address.error());
  std::vector<Socket> sockets;
  for (unsigned i = 0; i < options.threads; ++i) {
    auto made = Socket::bind(*address, {.shares_port = options.threads > 1});
    if (!made) return tl::unexpected(options.accept + ": " + made.error());
    if (i == 0) *address = sluice::dtls::to_socket_address(made->own());
    sockets.push_back(*std::move(made));
  }
  return sockets;
}

// With --threads and --cid the kernel leads each datagram to the thread that its ID names.
tl::expected<void, std::string> steer(const Socket& socket, Options& options) {
  const auto id_size = options.echo.tool.connection_id_size.value_or(0);
  if (options.threads == 1 || id_size == 0) return {};
  auto checked = sluice::interop::tools::check_routable(id_size, options.threads);
  if (!checked) return checked;
  sluice::interop::tools::RoutingKey key{};
  for (std::byte& byte : key) {
    byte = static_cast<std::byte>(sluice::interop::common::random_u32() & 0xff);
  }
  options.echo.routing_key = key;
  return sluice::udp::steer_by_connection_id(socket);
}

tl::expected<void, std::string> check_store(Options& options) {
  if (options.store.empty()) return {};
  const auto address = sluice::interop::tools::parse_store(options.store);
  if (!address) return tl::unexpected(address.error());
  using sluice::interop::tools::StoreKind;
  const auto wrong = [](const char* what) { return tl::unexpected<std::string>(what); };
  if (options.echo.tool.connection_id_size == 0) return wrong("--store: needs a --cid above 0");
  if (address->kind == StoreKind::memory && options.echo.age_after == 0) {
    return wrong("--store memory: needs --age-after");
  }
  if (address->kind != StoreKind::memory && options.keys.empty()) {
    return wrong(
        "--store: lmdb and redis need --tickets-key, because the next server needs the same keys");
  }
  // Another server of the store would take the snapshot of a session that is still in use here.
  if (options.echo.takes_snapshots && address->kind != StoreKind::lmdb) {
    return wrong("--snapshots: needs --store lmdb:PATH, which one server has for itself");
  }
  // LMDB allows a process to open a database once.
  if (address->kind == StoreKind::lmdb && options.threads > 1) {
    return wrong("--store lmdb: one thread only");
  }
  options.echo.store = *address;
  return {};
}

using ServerKeysOrError =
    tl::expected<std::unique_ptr<sluice::interop::tools::ServerKeys>, std::string>;

sluice::dtls::Duration rotation_of(const Options& options) {
  return std::chrono::duration_cast<sluice::dtls::Duration>(
      std::chrono::duration<double>(options.ticket_rotation));
}

// Null where nothing needs them.
ServerKeysOrError make_keys(Options& options) {
  if (options.keys.empty() && !options.echo.store) return nullptr;
  auto keys = sluice::interop::tools::make_server_keys(options.echo.tool, options.keys,
                                                       rotation_of(options));
  if (keys) options.echo.keys = keys->get();
  return keys;
}

using KeyRotationPtr = std::unique_ptr<sluice::interop::tools::KeyRotation>;

// Null where there is no file with keys.
KeyRotationPtr make_rotation(Options& options, sluice::interop::tools::ServerKeys* keys) {
  if (options.keys.empty()) return nullptr;
  auto rotation = std::make_unique<sluice::interop::tools::KeyRotation>(
      options.keys, keys->tickets, std::move(keys->stored_tickets),
      [](const std::string& failure) { std::cerr << "sluice-dtls-server: " + failure + "\n"; });
  options.echo.rotation = rotation.get();
  return rotation;
}

// How sessions are resumed.
void set_resumption(Options& options, sluice::dtls::ResumptionStore& sessions) {
  options.echo.sessions = &sessions;
  if (!options.no_ticket) {
    options.echo.tool.resumption = sluice::dtls::Resumption::tickets;
    options.echo.tool.ticket_keys =
        options.echo.keys != nullptr
            ? options.echo.keys->tickets
            : std::make_shared<sluice::dtls::TicketKeys>(rotation_of(options));
  } else if (!options.no_cache) {
    options.echo.tool.resumption = sluice::dtls::Resumption::store;
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"DTLS echo server: sends back what clients send over DTLS 1.2 and 1.3."};
  Options options;
  add_options(app, options);
  CLI11_PARSE(app, argc, argv);

  if (const auto checked = check_store(options); !checked) return report_failure(checked.error());
  const auto keys = make_keys(options);
  if (!keys) return report_failure(keys.error());
  const auto rotation = make_rotation(options, keys->get());
  sluice::dtls::ResumptionStore sessions;
  set_resumption(options, sessions);

  const sluice::interop::common::StopSignals stop;
  auto sockets = make_sockets(options);
  if (!sockets) return report_failure(sockets.error());
  if (const auto steered = steer(sockets->front(), options); !steered) {
    return report_failure(steered.error());
  }
  std::cout << "ACCEPT " << sluice::udp::to_string(sockets->front().own()) << std::endl;
  std::atomic<int> status = 0;
  {
    std::vector<std::jthread> threads;
    for (Socket& socket : *sockets) {
      const auto worker = static_cast<std::uint8_t>(threads.size());
      threads.emplace_back([&, worker] {
        const auto served = serve(socket, options.echo, worker, stop.descriptor());
        if (!served) status = report_failure(served.error());
      });
    }
  }
  return status;
}
