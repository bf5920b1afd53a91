// Sessions of a server that ends without a word, and whose successor goes on with their snapshots.
#include "tools/snapshot_keeper.h"

#include <poll.h>
#include <sluice/session_stores/lmdb_store.h>

#include <array>

#include "common/clock.h"
#include "support/endpoint_host.h"
#include "support/moving.h"
#include "support/temporary_folder.h"
#include "tools/session_keeper.h"
#include "tools/waiting_answers.h"

namespace sluice::interop::tools {
namespace {

using common::now;
using dtls::ConnectionHandle;
using test::bytes_of;
using test::must;
using test::Peer;

// Lets some requests fail, as if the store had no room.
class FailingSessions final : public SleepingSessions {
 public:
  FailingSessions(std::unique_ptr<SleepingSessions> sessions, int& failing)
      : sessions_(std::move(sessions)), failing_(failing) {}

  StoreRequest put(const dtls::SessionState& state, const dtls::UdpEndpoint& peer) override {
    if (failing_ == 0) return sessions_->put(state, peer);
    --failing_;
    const auto request = static_cast<StoreRequest>(UINT64_MAX - static_cast<unsigned>(failing_));
    failed_.push_back({.request = request, .error = "no room"});
    return request;
  }
  StoreRequest take(dtls::Bytes connection_id) override { return sessions_->take(connection_id); }
  StoreRequest erase(dtls::Bytes tag) override { return sessions_->erase(tag); }
  std::optional<StoreOutcome> poll() override {
    if (failed_.empty()) return sessions_->poll();
    StoreOutcome outcome = std::move(failed_.back());
    failed_.pop_back();
    return outcome;
  }
  [[nodiscard]] int descriptor() const override { return sessions_->descriptor(); }
  [[nodiscard]] std::size_t pending() const override {
    return sessions_->pending() + failed_.size();
  }

 private:
  std::unique_ptr<SleepingSessions> sessions_;
  int& failing_;
  std::vector<StoreOutcome> failed_;
};

struct ServerOptions {
  dtls::ConfigPtr config;
  std::string folder;
  bool takes_snapshots = true;
  std::size_t max_live = 0;
};

// An echo server without a socket.
class EchoServer {
 public:
  EchoServer(const ServerOptions& options, dtls::PacketObserver& watch, const dtls::StateKeys& keys,
             int& failing)
      : environment_(must(dtls::Environment::make({.packet_observer = &watch}))),
        endpoint_(must(dtls::Endpoint::make(
            {.server = options.config, .max_live = options.max_live, .waking = {.max_wanted = 16}},
            environment_))),
        keeper_(endpoint_,
                std::make_unique<FailingSessions>(
                    open_sleeping_sessions({StoreKind::lmdb, options.folder}, environment_, keys)
                        .value(),
                    failing),
                options.config, options.takes_snapshots, [](const std::string&) {}) {}

  void receive(dtls::Buffer datagram, const dtls::UdpPath& path) {
    endpoint_.handle_datagram(datagram, path, now());
    drain();
  }
  void drain() {
    for (bool again = true; again;) {
      again = false;
      std::array<std::byte, dtls::kMaxDatagram> out{};
      while (const auto sent = endpoint_.poll_transmit(out)) {
        keep_sent(std::span(out).first(sent->size));
        if (sent->connection) keeper_.on_sent(*sent->connection);
      }
      while (const auto data = endpoint_.poll_data()) {
        last_ = data->connection;
        waiting_.add(data->connection, data->bytes);
        again = true;
      }
      while (const auto event = endpoint_.poll_event()) {
        on_event(*event);
        again = true;
      }
      waiting_.send([this](ConnectionHandle connection, dtls::Bytes answer) {
        return send(connection, answer);
      });
    }
  }
  // Starts what is due with the store, and takes what has come from it.
  void turn() {
    keeper_.keep_snapshots();
    pollfd one{.fd = keeper_.descriptor(), .events = POLLIN, .revents = 0};
    ::poll(&one, 1, 10);
    endpoint_.handle_timeout(now());
    drain();
    keeper_.poll();
    drain();
  }
  std::vector<dtls::Buffer> take_datagrams() { return std::exchange(sent_, {}); }

  dtls::Endpoint& endpoint() { return endpoint_; }
  SessionKeeper& keeper() { return keeper_; }
  // Of which data have come last.
  [[nodiscard]] ConnectionHandle last() const { return last_; }

 private:
  void on_event(const dtls::EndpointEvent& event) {
    keeper_.on_event(event);
    if (const auto* asked = std::get_if<dtls::PeerCertificateReceived>(&event.what)) {
      must(endpoint_.answer(event.connection, asked->question, dtls::AcceptPeer{}, now())
               .map([](dtls::Pending) {}));
    }
  }
  bool send(ConnectionHandle connection, dtls::Bytes answer) {
    std::array<std::byte, 500> out{};
    const auto sealed = endpoint_.seal(connection, answer, out);
    keeper_.on_sent(connection);
    if (!sealed) return false;
    keep_sent(std::span(out).first(*sealed));
    return true;
  }
  void keep_sent(dtls::Bytes datagram) { sent_.emplace_back(datagram.begin(), datagram.end()); }

  dtls::Environment environment_;
  dtls::Endpoint endpoint_;
  SessionKeeper keeper_;
  WaitingAnswers waiting_;
  std::vector<dtls::Buffer> sent_;
  ConnectionHandle last_{};
};

class SnapshotKeeping : public test::ByVersion {
 protected:
  SnapshotKeeping() {
    must(keys_.add(dtls::StateKeyId{1}, dtls::Buffer(dtls::StateKeys::kKeySize)));
    start();
  }

  static dtls::ConfigPtr asking_for(std::size_t id_size) {
    dtls::ConfigOptions asking = options();
    asking.connection_id_size = id_size;
    return test::make_config(asking);
  }
  // A server on the same store. The one before has crashed, or moved out.
  void start() {
    server_.reset();
    server_ = std::make_unique<EchoServer>(options_, watch_, keys_, failing_);
  }
  // Lets the server run until `done`, which a failure alone makes wait for the deadline. The peer
  // gets what it sends.
  template <class Done>
  void run_until(Peer& peer, Done done) {
    const auto deadline = now() + std::chrono::seconds{20};
    while (!done()) {
      ASSERT_LT(now(), deadline);
      server_->turn();
      peer.settle(peer.connection().handle_timeout(now()), now());
      carry(peer);
    }
  }
  void carry(Peer& peer) {
    for (bool moved = true; moved;) {
      moved = false;
      for (auto& datagram : server_->take_datagrams()) {
        peer.receive(std::move(datagram), now());
        moved = true;
      }
      for (auto& datagram : peer.take_datagrams()) {
        server_->receive(std::move(datagram), path_);
        moved = true;
      }
    }
  }
  Peer connect() {
    Peer peer = test::make_client(asking_for(0), now());
    carry(peer);
    EXPECT_TRUE(peer.connected);
    wait_for_snapshots(peer);
    return peer;
  }
  // All that is due is in the store.
  void wait_for_snapshots(Peer& peer) {
    run_until(peer, [&] {
      server_->keeper().keep_snapshots();
      return server_->keeper().pending() == 0;
    });
  }
  void get_spare_id(Peer& peer) {
    must(peer.connection().request_connection_ids(1, now()).map([](dtls::Pending) {}));
    run_until(peer, [&] { return peer.connection().spare_connection_ids() != 0; });
  }
  // Of the connection whose data have come last.
  std::vector<dtls::Buffer> own_ids() {
    std::vector<dtls::Buffer> ids;
    for (const auto& id : server_->endpoint().find(server_->last())->own_connection_ids()) {
      ids.push_back(test::copy_of(id.bytes()));
    }
    return ids;
  }
  // The peer's data come back.
  void talk(Peer& peer) {
    const std::size_t before = peer.data.size();
    server_->receive(peer.seal(bytes_of("data")), path_);
    run_until(peer, [&] { return peer.data.size() > before; });
    EXPECT_EQ(peer.data.size(), before + 1);
  }
  void expect_no_repetition(const Peer& peer) const {
    EXPECT_EQ(watch_.repeated(), 0U);
    EXPECT_EQ(test::discards(peer, dtls::Discard::replayed), 0U);
    EXPECT_EQ(test::discards(peer, dtls::Discard::authentication_failed), 0U);
  }
  // The server ends.
  std::uint64_t states_in_store() {
    server_.reset();
    const auto store = session_stores::make_lmdb_store({.folder = options_.folder}).value();
    EXPECT_TRUE(store->count(session_stores::RequestToken{1}));
    EXPECT_TRUE(store->wait(std::chrono::seconds{20}));
    return std::get<session_stores::CountDone>(store->poll()->outcome).sessions;
  }

  test::TemporaryFolder folder_;
  ServerOptions options_{.config = asking_for(8), .folder = folder_.path() / "store"};
  dtls::StateKeys keys_;
  int failing_ = 0;  // so many puts
  test::NumberWatch watch_;
  dtls::UdpPath path_ = test::path_of(1);  // of the peer
  std::unique_ptr<EchoServer> server_;
};
INSTANTIATE_TEST_SUITE_P(Versions, SnapshotKeeping, test::both_versions(), test::name_of_version);

TEST_P(SnapshotKeeping, ASessionGoesOnAfterEachCrash) {
  Peer peer = connect();
  for (int crashes = 0; crashes < 5; ++crashes) {
    talk(peer);
    start();
    talk(peer);
    EXPECT_EQ(server_->keeper().counts().restored, 1U);
    EXPECT_EQ(server_->endpoint().statistics().connected, 0U);
  }
  expect_no_repetition(peer);
}

TEST_P(SnapshotKeeping, NothingIsSentBeforeASnapshotIsStored) {
  Peer peer = connect();
  start();
  failing_ = 3;
  const std::size_t before = peer.data.size();
  server_->receive(peer.seal(bytes_of("data")), path_);
  run_until(peer, [&] { return server_->keeper().snapshots().failed == 1; });
  EXPECT_TRUE(server_->take_datagrams().empty());
  EXPECT_EQ(peer.data.size(), before);
  // Each record of the peer lets it try again; all answers come in their order.
  for (int i = 0; i < 3; ++i) server_->receive(peer.seal(bytes_of("more")), path_);
  run_until(peer, [&] { return peer.data.size() == before + 4; });
  EXPECT_EQ(peer.data[before], test::buffer_of("data"));
  expect_no_repetition(peer);
}

TEST_P(SnapshotKeeping, ManyRecordsTakeFurtherSnapshots) {
  Peer peer = connect();
  for (int i = 0; i < 3000; ++i) {
    server_->receive(peer.seal(bytes_of("data")), path_);
    if (i % 100 == 0) server_->turn();
    carry(peer);
  }
  run_until(peer, [&] { return peer.data.size() == 3000; });
  EXPECT_GE(server_->keeper().snapshots().stored, 4U);
  start();
  talk(peer);
  expect_no_repetition(peer);
}

TEST_P(SnapshotKeeping, NothingIsLeftOfASessionThatIsOver) {
  Peer peer = connect();
  must(peer.connection().close(now()).map([](dtls::Pending) {}));
  carry(peer);
  wait_for_snapshots(peer);
  EXPECT_EQ(server_->keeper().snapshots().left_behind, 0U);
  EXPECT_EQ(states_in_store(), 0U);
}

TEST_P(SnapshotKeeping, WhatIsExportedTakesThePlaceOfTheSnapshot) {
  Peer peer = connect();
  talk(peer);
  run_until(peer, [&] { return server_->keeper().move_out(); });
  EXPECT_EQ(server_->keeper().counts().stored, 1U);
  EXPECT_EQ(states_in_store(), 1U);
  start();
  talk(peer);
  run_until(peer, [&] { return server_->keeper().move_out(); });
  EXPECT_EQ(states_in_store(), 1U);
  expect_no_repetition(peer);
}

TEST_P(SnapshotKeeping, SoDoesWhatAges) {
  options_.max_live = 1;
  start();
  Peer first = connect();
  path_ = test::path_of(2);
  const Peer second = connect();
  run_until(first, [&] { return server_->endpoint().statistics().aged == 1; });
  wait_for_snapshots(first);
  EXPECT_EQ(server_->keeper().counts().stored, 1U);
  EXPECT_EQ(states_in_store(), 2U) << "one of each session";
}

TEST_P(SnapshotKeeping, AServerWithoutSnapshotsGoesOnWithOneAndTakesMoreOfIt) {
  Peer peer = connect();
  options_.takes_snapshots = false;
  start();
  talk(peer);
  start();
  talk(peer);
  expect_no_repetition(peer);
  EXPECT_EQ(server_->keeper().snapshots().stored, 1U);
  path_ = test::path_of(2);
  const Peer other = connect();
  EXPECT_EQ(server_->keeper().snapshots().stored, 1U);
}

// The store has one state of a session whatever its first connection ID is.
TEST_P(SnapshotKeeping, ASessionMayChangeItsConnectionIds) {
  if (!is13()) GTEST_SKIP() << "DTLS 1.2 has one";
  Peer peer = connect();
  talk(peer);
  const dtls::Buffer first = own_ids().front();
  for (int i = 0; i < 20; ++i) {
    get_spare_id(peer);
    must(peer.connection().change_connection_id());
    talk(peer);
  }
  wait_for_snapshots(peer);
  ASSERT_NE(own_ids().front(), first);
  start();
  talk(peer);
  EXPECT_EQ(server_->keeper().counts().restored, 1U);
  wait_for_snapshots(peer);
  EXPECT_EQ(states_in_store(), 1U);
  expect_no_repetition(peer);
}

// Its snapshot still has an ID that the connection has given up.
TEST_P(SnapshotKeeping, AnOldConnectionIdBringsNoSecondOwner) {
  if (!is13()) GTEST_SKIP() << "DTLS 1.2 has one";
  Peer peer = connect();
  talk(peer);
  const dtls::Buffer first = own_ids().front();
  const dtls::Buffer old = peer.seal(bytes_of("old"));
  get_spare_id(peer);
  for (int i = 0; i < 20 && own_ids().front() == first; ++i) {
    must(peer.connection().change_connection_id());
    talk(peer);
    get_spare_id(peer);
  }
  ASSERT_NE(own_ids().front(), first);
  server_->receive(old, path_);
  run_until(peer, [&] { return server_->keeper().snapshots().reclaimed == 1; });
  EXPECT_EQ(server_->keeper().counts().restored, 0U);
  EXPECT_EQ(server_->endpoint().size(), 1U);
  wait_for_snapshots(peer);
  start();
  talk(peer);
  expect_no_repetition(peer);
}

TEST_P(SnapshotKeeping, KeysMayChange) {
  if (!is13()) GTEST_SKIP() << "DTLS 1.2 has one epoch";
  Peer peer = connect();
  for (int i = 0; i < 3; ++i) {
    must(peer.connection()
             .update_keys(dtls::KeyUpdateRequest::update_requested, now())
             .map([](dtls::Pending) {}));
    carry(peer);
    wait_for_snapshots(peer);
    talk(peer);
    start();
    talk(peer);
  }
  expect_no_repetition(peer);
}

}  // namespace
}  // namespace sluice::interop::tools
