// A server that keeps its sessions in memory. The second handshake resumes the session of the
// first, in DTLS 1.2 and in 1.3.
#include <sluice/dtls/connection.h>
#include <sluice/dtls/resumption_store.h>

#include <array>
#include <iostream>

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

// A peer may fail at any time: its Error is for the log, and ends nothing else.
void report(const dtls::Result<dtls::Pending>& input) {
  if (!input) std::cerr << to_string(input.error()) << '\n';
}

// Stores the sessions of a connection and answers its questions about stored ones.
void serve_sessions(dtls::Connection& server, dtls::ResumptionStore& store, dtls::Instant now) {
  while (const auto event = server.poll_event()) {
    if (const auto* session = std::get_if<dtls::SessionToStore>(&*event)) {
      store.keep(*session, now);
    } else if (const auto* asked = std::get_if<dtls::SessionRequested>(&*event)) {
      report(server.answer(asked->question, store.answer(*asked, now), now));
    } else if (const auto* psk = std::get_if<dtls::PskRequested>(&*event)) {
      report(server.answer(psk->question, store.answer(*psk, now), now));
    }
  }
}

// Two handshakes of a client in one version.
bool calls_twice(dtls::Environment& environment, dtls::ProtocolVersion version) {
  dtls::ConfigOptions options;
  options.identities = {dtls::Identity::self_signed(environment).value()};
  options.min_version = version;
  options.max_version = version;
  options.peer_authentication = dtls::PeerAuthentication::none;
  options.resumption = dtls::Resumption::store;
  const auto config = dtls::Config::make(options).value();
  const std::array fingerprints{dtls::Fingerprint::of(options.identities.front().certificate(),
                                                      dtls::HashAlgorithm::sha256, environment)
                                    .value()};

  dtls::ResumptionStore store;
  const dtls::PathId path{0};
  const dtls::Instant now{};  // from your clock
  std::optional<dtls::ResumableSession> session;
  for (const bool resumed : {false, true}) {
    auto client = dtls::Connection::client(config, environment, path, now, session).value();
    auto server = dtls::Connection::server(config, environment, path, now).value();
    report(client.set_peer_fingerprints(fingerprints, now));
    while (carry(client, server, now) || carry(server, client, now)) {
      serve_sessions(server, store, now);
    }
    if (!client.connected() || client.info()->resumed != resumed) return false;
    while (const auto event = client.poll_event()) {
      if (const auto* received = std::get_if<dtls::SessionReceived>(&*event)) {
        session = received->session;
      }
    }
  }
  return true;
}

}  // namespace

int main() {
  auto environment = dtls::Environment::make().value();
  for (const auto version : {dtls::ProtocolVersion::dtls12, dtls::ProtocolVersion::dtls13}) {
    if (!calls_twice(environment, version)) return 1;
    std::cout << to_string(version) << ": resumed\n";
  }
}
