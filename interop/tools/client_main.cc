// sluice-dtls-client: sends lines over DTLS and prints what comes back. Options are named as those
// of `openssl s_client`. Exit codes: 0 closed in order, 1 nothing was begun, 2 the connection
// failed.
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
  CLI::App app{"Sends lines over DTLS 1.2 or 1.3 and prints what comes back."};
  app.footer("Exit codes: 0 closed in order, 1 nothing was begun, 2 the connection failed.");
  LineOptions options;
  std::string connect = "localhost:4433";
  std::string bind;
  app.add_option("--connect", connect, "The server: address:port")->capture_default_str();
  app.add_option("--bind", bind, "Our own address: address:port");
  app.add_option("--wait", options.wait,
                 "After the last line, wait so many seconds for as much to come back as was sent")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 86400.0));
  app.add_option("--sess_out", options.session_out,
                 "Write to this file what resumes the session; it is a secret");
  app.add_option("--sess_in", options.session_in, "Resume the session of this file");
  app.add_option("--servername", options.tool.server_name,
                 "Ask for the server of this name (RFC 6066)");
  app.add_option("--verify_hostname", options.tool.peer_name,
                 "With --CAfile: what the server's certificate must be for, where it isn't "
                 "--servername");
  add_options(app, options.tool);
  options.tool.resumption = dtls::Resumption::tickets;
  CLI11_PARSE(app, argc, argv);

  signal(SIGPIPE, SIG_IGN);
  const auto server = resolve(connect);
  if (!server) return fail(server.error());
  sluice::dtls::UdpEndpoint any;
  if (server->family() == AF_INET6) any.address = sluice::dtls::Ipv6Address{};
  const auto own = bind.empty() ? to_socket_address(any, 0) : resolve(bind);
  if (!own) return fail(own.error());
  auto socket = UdpSocket::bind(*own, false);
  if (!socket) return fail(socket.error());
  const auto outcome = talk(*socket, to_endpoint(*server), options, STDIN_FILENO);
  if (!outcome) return fail(outcome.error());
  return *outcome == LineOutcome::done ? 0 : 2;
}
