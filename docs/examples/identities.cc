// A server with two names chooses its certificate by SNI and checks each complete handshake.
#include <sluice/dtls/connection.h>

#include <iostream>
#include <map>

namespace dtls = sluice::dtls;

namespace {

// In a server, datagrams go through a socket here.
bool carry(dtls::Connection& from, dtls::Connection& to, dtls::Instant now) {
  std::byte datagram[dtls::kMaxDatagram];
  bool carried = false;
  while (const auto next = from.poll_transmit(datagram)) {
    const auto taken = to.handle_datagram(std::span(datagram).first(next->size), next->path, now);
    if (!taken) std::cerr << to_string(taken.error()) << '\n';
    carried = true;
  }
  return carried;
}

using Identities = std::map<std::string, dtls::Identity>;

// A peer may fail at any time: its Error is for the log, and ends nothing else.
void report(const dtls::Result<dtls::Pending>& input) {
  if (!input) std::cerr << to_string(input.error()) << '\n';
}

// answer() may be called at once, or later, when the certificate has been fetched. It returns an
// Error if the answer ends the connection, as RejectPeer does; then poll_transmit() has the alert.
void answer_questions(dtls::Connection& server, const Identities& identities, dtls::Instant now) {
  while (const auto event = server.poll_event()) {
    if (const auto* asked = std::get_if<dtls::IdentityRequested>(&*event)) {
      const auto found = identities.find(asked->server_name);
      dtls::IdentityRequested::Answer answer = dtls::NoIdentity{};
      if (found != identities.end()) answer = dtls::UseIdentity{found->second};
      report(server.answer(asked->question, answer, now));
    } else if (const auto* complete = std::get_if<dtls::ConnectionToVerify>(&*event)) {
      const bool good = complete->info.application_protocol == "coap";
      dtls::PeerAnswer answer = dtls::AcceptPeer{};
      if (!good) answer = dtls::RejectPeer{dtls::Alert::access_denied};
      report(server.answer(complete->question, answer, now));
    }
  }
}

}  // namespace

int main() {
  auto environment = dtls::Environment::make().value();
  Identities identities;
  for (const auto* name : {"a.example", "b.example"}) {
    identities.emplace(name, dtls::Identity::self_signed(environment, name).value());
  }

  dtls::ConfigOptions server_options;
  server_options.ask_for_identity = true;
  server_options.peer_authentication = dtls::PeerAuthentication::none;
  server_options.ask_about_connection = true;
  server_options.application_protocols = {"coap"};

  dtls::ConfigOptions client_options;
  client_options.server_name = "b.example";
  client_options.application_protocols = {"coap"};

  const dtls::PathId path{0};
  const dtls::Instant now{};  // from your clock
  const auto server_config = dtls::Config::make(server_options).value();
  const auto client_config = dtls::Config::make(client_options).value();
  auto server = dtls::Connection::server(server_config, environment, path, now).value();
  auto client = dtls::Connection::client(client_config, environment, path, now).value();
  const auto print = dtls::Fingerprint::of(identities.at("b.example").certificate(),
                                           dtls::HashAlgorithm::sha256, environment)
                         .value();
  report(client.set_peer_fingerprints({{print}}, now));
  do {
    answer_questions(server, identities, now);
  } while (carry(client, server, now) || carry(server, client, now));
  answer_questions(server, identities, now);
  if (!client.connected() || !server.connected()) return 1;
  std::cout << "connected to " << client.info()->server_name << '\n';
  return 0;
}
