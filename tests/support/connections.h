// Pairs of connections in each phase of their lives.
#pragma once

#include <gtest/gtest.h>

#include <array>

#include "support/by_version.h"
#include "support/bytes.h"
#include "support/endpoints.h"

namespace sluice::test {

// A client and a server. Neither has sent anything yet.
struct Pair {
  explicit Pair(const dtls::ConfigOptions& options = test::options()) : Pair(options, options) {}
  Pair(const dtls::ConfigOptions& for_client, const dtls::ConfigOptions& for_server)
      : client(make_client(make_config(for_client))),
        server(make_server(make_config(for_server))) {}

  // Everything to and fro until nobody has anything to say.
  void run(dtls::Instant now = {}) { exchange(client, server, now); }

  // One flight from the one to the other; how many datagrams that was.
  std::size_t flight(Peer& from, dtls::Instant now = {}) {
    Peer& to = &from == &client ? server : client;
    auto datagrams = from.take_datagrams();
    for (auto& datagram : datagrams) to.receive(std::move(datagram), now);
    return datagrams.size();
  }

  Peer client;
  Peer server;
};

inline Pair connected_pair(const dtls::ConfigOptions& options = test::options()) {
  Pair pair(options);
  pair.run();
  EXPECT_TRUE(pair.client.connected && pair.server.connected);
  return pair;
}

// Both handshakes are complete, nobody has accepted anybody.
inline Pair unaccepted_pair(const dtls::ConfigOptions& options = test::options()) {
  Pair pair(options);
  pair.client.accepts_peer = false;
  pair.server.accepts_peer = false;
  pair.run();
  EXPECT_TRUE(pair.client.question && pair.server.question);
  EXPECT_FALSE(pair.client.connected || pair.server.connected);
  return pair;
}

inline std::uint32_t discards(const Peer& peer, dtls::Discard reason) {
  return peer.connection().statistics().discards(reason);
}

}  // namespace sluice::test
