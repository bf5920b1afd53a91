// Pairs of connections in each phase of their lives.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <utility>

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
  return peer.connection().statistics().count(reason);
}

// It gave up with this error.
inline testing::AssertionResult failed(const Peer& peer, dtls::Errc code, dtls::Alert alert) {
  if (!peer.error) return testing::AssertionFailure() << "no error";
  if (peer.error->code == code && peer.error->alert == alert) return testing::AssertionSuccess();
  return testing::AssertionFailure() << to_string(*peer.error);
}

// Lets the timers of a second fire: an alert in plaintext ends a handshake only if the peer does
// not go on.
inline void expire_until_error(Peer& peer, dtls::Instant now = {}) {
  const dtls::Instant end = now + std::chrono::seconds{1};
  for (auto next = peer.connection().next_timeout(); next && *next <= end && !peer.error;
       next = peer.connection().next_timeout()) {
    peer.settle(peer.connection().handle_timeout(*next), *next);
  }
}

// The same, and what it sends tells `other` why.
inline testing::AssertionResult failed(Peer& peer, dtls::Errc code, dtls::Alert alert,
                                       Peer& other) {
  if (auto outcome = failed(peer, code, alert); !outcome) return outcome;
  if (peer.connection().connected()) return testing::AssertionFailure() << "it is connected";
  for (auto& datagram : peer.take_datagrams()) other.receive(std::move(datagram), {});
  expire_until_error(other);
  if (!other.error || other.error->code != dtls::Errc::alert_received ||
      other.error->alert != alert) {
    return testing::AssertionFailure() << "the alert didn't reach the other side";
  }
  return testing::AssertionSuccess();
}

// Answers a question of the peer's, `asked` being one of its optional events.
template <class Asked>
void answer(Peer& peer, const std::optional<Asked>& asked, const dtls::Answer& answer,
            dtls::Instant now = {}) {
  peer.settle(peer.connection().answer(asked.value().question.id(), answer, now), now);
}

// Answers what the server asked about PSK identities.
inline void answer_psk(Peer& server, const dtls::Answer& answer, dtls::Instant now = {}) {
  server.settle(server.connection().answer(server.psk_request->question.id(), answer, now), now);
}

// The same about a session.
inline void answer_session(Peer& server, const dtls::Answer& answer, dtls::Instant now = {}) {
  server.settle(server.connection().answer(server.session_request->question.id(), answer, now),
                now);
}

// Both are connected and data passes.
inline testing::AssertionResult works(Pair& pair) {
  if (pair.client.error) return testing::AssertionFailure() << to_string(*pair.client.error);
  if (pair.server.error) return testing::AssertionFailure() << to_string(*pair.server.error);
  if (!pair.client.connected || !pair.server.connected) {
    return testing::AssertionFailure() << "not connected";
  }
  for (Peer* from : {&pair.client, &pair.server}) {
    Peer& to = from == &pair.client ? pair.server : pair.client;
    const std::size_t before = to.data.size();
    to.receive(from->seal(bytes_of("data")), {});
    if (to.data.size() != before + 1) return testing::AssertionFailure() << "data doesn't pass";
  }
  return testing::AssertionSuccess();
}

}  // namespace sluice::test
