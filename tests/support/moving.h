// Sessions that move from one connection to another.
#pragma once

#include <algorithm>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "support/connections.h"

namespace sluice::test {

// Sees the record numbers that the connections of one side use, one after another.
class NumberWatch final : public dtls::PacketObserver {
 public:
  void on_record(const dtls::ObservedRecord& record) override {
    if (record.direction != dtls::Direction::sent || record.epoch == dtls::Epoch{0}) return;
    const auto [at, is_new] = used_.insert({record.epoch, record.sequence_number});
    if (!is_new) ++repeated_;
  }
  [[nodiscard]] std::size_t repeated() const { return repeated_; }
  [[nodiscard]] std::size_t used() const { return used_.size(); }

 private:
  std::set<std::pair<dtls::Epoch, dtls::SequenceNumber>> used_;
  std::size_t repeated_ = 0;
};

// Where the connections of one side live.
struct Side {
  [[nodiscard]] dtls::Environment make_environment() {
    return must(dtls::Environment::make({.packet_observer = &watch}));
  }
  // As after a restart.
  void renew() { environments.push_back(std::make_unique<dtls::Environment>(make_environment())); }
  [[nodiscard]] dtls::Environment& environment() { return *environments.back(); }

  NumberWatch watch;
  std::vector<std::unique_ptr<dtls::Environment>> environments;
};

inline dtls::Result<dtls::SessionState> export_of(Peer& peer,
                                                  const dtls::ExportOptions& options = {}) {
  return std::move(peer.connection()).export_session(options);
}

inline Peer restored(dtls::SessionState state, const dtls::ConfigPtr& config,
                     dtls::Environment& environment, dtls::Instant now = {}) {
  Peer peer(must(dtls::Connection::restore(config, environment, std::move(state), kPath, now)));
  peer.connected = peer.connection().info();
  return peer;
}

// A pair whose sides have an Environment each.
struct MovingPair {
  explicit MovingPair(const dtls::ConfigOptions& options) : MovingPair(options, options) {}
  MovingPair(const dtls::ConfigOptions& for_client, const dtls::ConfigOptions& for_server)
      : client_config(make_config(for_client)), server_config(make_config(for_server)) {
    sides[0].renew();
    sides[1].renew();
    pair.client =
        Peer(must(dtls::Connection::client(client_config, sides[0].environment(), kPath, {})));
    pair.server =
        Peer(must(dtls::Connection::server(server_config, sides[1].environment(), kPath, {})));
  }
  void connect() {
    pair.run();
    EXPECT_TRUE(pair.client.connected && pair.server.connected);
  }

  // Runs until the server is connected; what it has sent last, which the client has not received.
  std::vector<dtls::Buffer> connect_server() {
    for (int i = 0; i < 10; ++i) {
      pair.flight(pair.client);
      auto datagrams = pair.server.take_datagrams();
      if (pair.server.connected) return datagrams;
      for (auto& datagram : datagrams) pair.client.receive(std::move(datagram), {});
    }
    ADD_FAILURE() << "the server is not connected";
    return {};
  }

  // Timers fire in their order, and what they send arrives at once.
  void let_pass(dtls::Instant until) {
    for (;;) {
      const auto of_client = pair.client.connection().next_timeout().value_or(dtls::Instant::max());
      const auto of_server = pair.server.connection().next_timeout().value_or(dtls::Instant::max());
      const dtls::Instant now = std::min(of_client, of_server);
      if (now > until) return;
      Peer& first = of_client <= of_server ? pair.client : pair.server;
      first.settle(first.connection().handle_timeout(now), now);
      pair.run(now);
    }
  }

  [[nodiscard]] Peer& peer(dtls::Role role) {
    return role == dtls::Role::client ? pair.client : pair.server;
  }
  [[nodiscard]] Side& side(dtls::Role role) { return sides[role == dtls::Role::client ? 0 : 1]; }
  [[nodiscard]] const dtls::ConfigPtr& config(dtls::Role role) const {
    return role == dtls::Role::client ? client_config : server_config;
  }

  // Moves one side, by bytes, into a new Environment.
  void move(dtls::Role role, const dtls::ExportOptions& options = {}, dtls::Instant now = {}) {
    const auto state = must(export_of(peer(role), options));
    side(role).renew();
    peer(role) = restored(must(dtls::SessionState::parse(state.bytes())), config(role),
                          side(role).environment(), now);
  }
  void move_both() {
    move(dtls::Role::client);
    move(dtls::Role::server);
  }
  [[nodiscard]] std::size_t repeated_numbers() const {
    return sides[0].watch.repeated() + sides[1].watch.repeated();
  }

  std::array<Side, 2> sides;
  dtls::ConfigPtr client_config;
  dtls::ConfigPtr server_config;
  Pair pair;
};

}  // namespace sluice::test
