// sluice-dtls-client: sends lines over DTLS and prints the data that comes back. Its options are
// named like those of `openssl s_client`. Exit codes: see --help.
#include <sluice/udp/address.h>
#include <unistd.h>

#include <csignal>
#include <iostream>

#include "tools/line_client.h"

namespace {

int fail(const std::string& why) {
  std::cerr << "sluice-dtls-client: " << why << '\n';
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace sluice;
  using namespace sluice::interop::tools;
  CLI::App app{
      "DTLS client: sends the lines of standard input over DTLS 1.2 or 1.3 and prints the data "
      "that comes back."};
  app.footer(
      "Exit codes: 0 the connection was closed in order, 1 it could not be started, 2 it failed.");
  LineOptions options;
  std::string connect = "localhost:4433";
  std::string bind;
  app.add_option("--connect", connect, "Server to connect to: address:port")->capture_default_str();
  app.add_option("--bind", bind, "Local address: address:port. See --rebind-every");
  app.add_option(
         "--wait", options.wait,
         "Seconds to wait after the last line until as many bytes have come back as were sent")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 86400.0));
  app.add_option("--key_update", options.key_update,
                 "DTLS 1.3: update the keys of both directions after this many lines, each time");
  app.add_option("--sess_out", options.session_out,
                 "Write the session to this file, to resume it later. The file is a secret");
  app.add_option("--sess_in", options.session_in, "Resume the session in this file");
  app.add_option("--servername", options.tool.server_name, "Server name to ask for (RFC 6066)");
  app.add_option(
      "--verify_hostname", options.tool.peer_name,
      "With --CAfile: name that the server's certificate must have. Default: --servername");
  app.add_option("--maxfraglen", options.tool.max_fragment_length,
                 "Largest contents of a record to ask for (RFC 6066): 512, 1024, 2048 or 4096");
  add_options(app, options.tool);
  app.add_option("--rebind-every", options.rebind_every,
                 "Seconds after which the client goes on from another local port, each time, as "
                 "if a NAT had forgotten it. With DTLS 1.3 it uses another connection ID there")
      ->check(CLI::Range(0.01, 86400.0))
      ->needs(app.get_option("--cid"));
  options.tool.resumption = dtls::Resumption::tickets;
  CLI11_PARSE(app, argc, argv);

  signal(SIGPIPE, SIG_IGN);
  const auto server = udp::resolve(connect);
  if (!server) return fail(server.error());
  sluice::dtls::UdpEndpoint any;
  if (server->storage.ss_family == AF_INET6) any.address = sluice::dtls::Ipv6Address{};
  const auto own = bind.empty() ? dtls::to_socket_address(any) : udp::resolve(bind);
  if (!own) return fail(own.error());
  auto socket = udp::Socket::bind(*own, {.reports_local_address = false});
  if (!socket) return fail(socket.error());
  if (const auto connected = socket->connect(*server); !connected) return fail(connected.error());
  const auto outcome =
      talk(*std::move(socket), *dtls::to_udp_endpoint(*server), options, STDIN_FILENO);
  if (!outcome) return fail(outcome.error());
  return *outcome == LineOutcome::done ? 0 : 2;
}
