// The sessions of the peers: their objects with their transports in memory.
#include <memory>
#include <stdexcept>
#include <vector>

#include "gnutls_peer.h"
#include "heap.h"
#include "memory.h"
#include "support/libssl_peer.h"

namespace sluice::bench {
namespace {

void begin_session(test::LibsslPeer& client, test::LibsslPeer& server) {
  client.advance();
  for (auto& datagram : client.take_datagrams()) server.receive(std::move(datagram));
  if (server.take_datagrams().empty()) throw std::runtime_error("libssl doesn't answer");
}

void complete_session(test::LibsslPeer& client, test::LibsslPeer& server) {
  client.advance();
  while (!client.connected() || !server.connected()) {
    for (auto& datagram : client.take_datagrams()) server.receive(std::move(datagram));
    for (auto& datagram : server.take_datagrams()) client.receive(std::move(datagram));
    if (!server.error().empty()) throw std::runtime_error(server.error());
  }
  // A record each way.
  const dtls::Buffer data(64);
  client.send(data);
  for (auto& datagram : client.take_datagrams()) server.receive(std::move(datagram));
  server.data = {};
  server.send(data);
  static_cast<void>(server.take_datagrams());
}

void begin_session(GnutlsPeer& client, GnutlsPeer& server) {
  client.advance();
  for (auto& datagram : client.take_datagrams()) server.receive(std::move(datagram));
  if (server.take_datagrams().empty()) throw std::runtime_error("GnuTLS doesn't answer");
}

void complete_session(GnutlsPeer& client, GnutlsPeer& server) {
  connect(client, server);
  const dtls::Buffer data(64);
  dtls::Buffer wire(1500);
  const std::size_t size = client.seal(data, wire);
  dtls::Buffer plain(1500);
  server.open(dtls::Bytes(wire).first(size), plain);
  server.seal(data, wire);
}

template <class Peer, class Context>
double bytes_each(const Context& client_context, const Context& server_context, Phase phase,
                  std::size_t sessions) {
  const auto make = [&] {
    auto server = std::make_unique<Peer>(server_context);
    Peer client(client_context);
    if (phase == Phase::in_progress) {
      begin_session(client, *server);
    } else {
      complete_session(client, *server);
    }
    return server;
  };
  std::vector<std::unique_ptr<Peer>> all;
  all.reserve(sessions);
  for (int i = 0; i < 100; ++i) all.push_back(make());
  all.clear();
  const double before = heap_in_use();
  for (std::size_t i = 0; i < sessions; ++i) all.push_back(make());
  return (heap_in_use() - before) / static_cast<double>(sessions);
}

}  // namespace

double libssl_bytes_each(Phase phase, std::size_t sessions) {
  const test::LibsslContext client({.is_server = false, .groups = "P-256"});
  const test::LibsslContext server({.is_server = true, .groups = "P-256"});
  return bytes_each<test::LibsslPeer>(client, server, phase, sessions);
}

double gnutls_bytes_each(Phase phase, std::size_t sessions) {
  const GnutlsContext client({.is_server = false, .groups = "+GROUP-SECP256R1"});
  const GnutlsContext server({.is_server = true, .groups = "+GROUP-SECP256R1"});
  return bytes_each<GnutlsPeer>(client, server, phase, sessions);
}

}  // namespace sluice::bench
