// Snapshots: whatever crashes when, no record number is used twice under one key.
#include <gtest/gtest.h>

#include "support/moving.h"

namespace sluice::dtls {
namespace {

using test::bytes_of;
using test::kRoles;
using test::MovingPair;
using test::must;
using test::Peer;

class Snapshots : public test::ByVersion {
 protected:
  void SetUp() override { moving_.connect(); }

  [[nodiscard]] Peer& server() { return moving_.pair.server; }
  [[nodiscard]] Peer& client() { return moving_.pair.client; }
  Snapshot take(std::size_t records = SnapshotOptions::kMinimum) {
    return must(server().connection().snapshot({.records = records}));
  }
  void store(Snapshot snapshot) {
    must(server().connection().snapshot_stored(snapshot.id, {}));
    stored_ = std::move(snapshot.state);
  }
  static void must(const Result<Pending>& outcome) {
    ASSERT_TRUE(outcome) << to_string(outcome.error());
  }
  template <class T>
  static T must(Result<T> result) {
    return test::must(std::move(result));
  }
  // The server's process ends and starts again from what is stored.
  void crash() {
    moving_.side(Role::server).renew();
    server() = test::restored(must(SessionState::parse(stored_->bytes())), moving_.server_config,
                              moving_.side(Role::server).environment());
  }
  // Sends data until seal() refuses; the number of records. The client receives them.
  std::size_t send_all() {
    std::size_t sent = 0;
    Buffer out(200);
    for (;; ++sent) {
      const auto sealed = server().connection().seal(bytes_of("data"), out);
      if (!sealed) {
        EXPECT_EQ(sealed.error(), SendError::snapshot_needed);
        return sent;
      }
      client().receive(Buffer(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(*sealed)), {});
    }
  }
  void expect_no_repetition() {
    EXPECT_EQ(moving_.repeated_numbers(), 0U);
    EXPECT_EQ(discards(client(), Discard::replayed), 0U);
    EXPECT_EQ(discards(client(), Discard::authentication_failed), 0U);
  }

  MovingPair moving_{options()};
  std::optional<SessionState> stored_;
};
INSTANTIATE_TEST_SUITE_P(Versions, Snapshots, test::both_versions(), test::name_of_version);

TEST_P(Snapshots, WithoutOneThereIsNoLimit) {
  EXPECT_FALSE(server().connection().snapshot_due());
  Buffer out(200);
  for (int i = 0; i < 3000; ++i) ASSERT_TRUE(server().connection().seal(bytes_of("data"), out));
}

TEST_P(Snapshots, TheFirstOneLimitsAtOnce) {
  take(100);
  const std::size_t sent = send_all();
  EXPECT_LT(sent, 100U);
  EXPECT_GT(sent, 100U - 20U) << "a few are for alerts and acknowledgements";
  EXPECT_TRUE(server().connection().connected());
}

TEST_P(Snapshots, AStoredOneLetsTheConnectionGoOn) {
  store(take());
  for (int i = 0; i < 10; ++i) {
    EXPECT_GT(send_all(), 0U);
    store(take());
  }
  expect_no_repetition();
}

TEST_P(Snapshots, OneThatIsNotStoredDoesNot) {
  store(take());
  send_all();
  const Snapshot unstored = take();
  EXPECT_EQ(send_all(), 0U);
  must(server().connection().snapshot_stored(unstored.id, {}));
  EXPECT_GT(send_all(), 0U);
}

TEST_P(Snapshots, AfterACrashNoNumberIsUsedAgain) {
  store(take(200));
  for (int crashes = 0; crashes < 10; ++crashes) {
    // Some before the crash, in each round more.
    Buffer out(200);
    for (int i = 0; i < crashes * 10; ++i) {
      const auto sealed = server().connection().seal(bytes_of("data"), out);
      if (!sealed) break;
      client().receive(Buffer(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(*sealed)), {});
    }
    crash();
    EXPECT_EQ(send_all(), 0U) << "a second crash would repeat these";
    crash();
    EXPECT_TRUE(server().connection().snapshot_due());
    store(take(200));
    EXPECT_TRUE(works(moving_.pair));
  }
  expect_no_repetition();
}

// A smaller reserve, or an export, does not go back behind what an earlier snapshot allowed.
TEST_P(Snapshots, ALaterOneStartsNoEarlier) {
  store(take(1000));
  store(take(SnapshotOptions::kMinimum));
  send_all();
  crash();
  store(take());
  EXPECT_TRUE(works(moving_.pair));
  expect_no_repetition();
}

TEST_P(Snapshots, TheLimitMovesWithAnExport) {
  store(take());
  moving_.move(Role::server);
  send_all();
  crash();
  store(take());
  EXPECT_TRUE(works(moving_.pair));
  expect_no_repetition();
}

TEST_P(Snapshots, ANewOneIsDueAtHalfOfTheReserve) {
  store(take(100));
  std::size_t sent = 0;
  Buffer out(200);
  while (!server().connection().snapshot_due()) {
    ASSERT_TRUE(server().connection().seal(bytes_of("data"), out));
    ++sent;
  }
  EXPECT_NEAR(static_cast<double>(sent), 50.0, 20.0);
}

TEST_P(Snapshots, TheReplayWindowIsThatOfTheSnapshot) {
  const Buffer before = client().seal(bytes_of("before"));
  server().receive(before, {});
  store(take());
  const Buffer after = client().seal(bytes_of("after"));
  server().receive(after, {});
  crash();
  server().receive(before, {});
  server().receive(after, {});
  EXPECT_EQ(server().data, std::vector<Buffer>{test::buffer_of("after")})
      << "as the documentation says";
}

TEST_P(Snapshots, WrongUseIsAnError) {
  const auto is_invalid = [](const auto& outcome) {
    return !outcome && outcome.error().code == Errc::invalid_argument && !outcome.error().is_fatal;
  };
  Connection& connection = server().connection();
  EXPECT_TRUE(is_invalid(connection.snapshot_stored(SnapshotId{1}, {}))) << "there is none";
  EXPECT_TRUE(is_invalid(connection.snapshot({.records = SnapshotOptions::kMinimum - 1})));
  EXPECT_TRUE(is_invalid(connection.snapshot({.records = SnapshotOptions::kMaximum + 1})));
  const auto id = static_cast<std::uint64_t>(take().id);
  EXPECT_TRUE(is_invalid(connection.snapshot_stored(SnapshotId{id + 1}, {})));
  EXPECT_TRUE(works(moving_.pair));
}

// Each takes one of the few numbers that are not for data. After those it has to wait.
TEST_P(Snapshots, MessagesEndWithTheReserve) {
  if (!is13()) GTEST_SKIP() << "DTLS 1.2 sends none, but for its last alert";
  store(take());
  send_all();
  ASSERT_TRUE(server().connection().update_keys(KeyUpdateRequest::update_not_requested, {}));
  // None arrives, so they are repeated.
  for (int i = 0; i < 20; ++i) {
    static_cast<void>(server().take_datagrams());
    const auto next = server().connection().next_timeout();
    if (!next) break;
    server().settle(server().connection().handle_timeout(*next), *next);
  }
  crash();
  store(take());
  EXPECT_GT(send_all(), 0U);
  expect_no_repetition();
}

TEST_P(Snapshots, CloseNotifyStillFits) {
  store(take());
  send_all();
  must(server().connection().close({}));
  moving_.pair.flight(server());
  EXPECT_TRUE(client().closed);
}

// The numbers of the next epoch are used by the snapshot's connection, too, if it changes keys.
TEST(Snapshots13, ChangedKeysNeedANewOne) {
  for (const Role who : kRoles) {
    MovingPair moving(test::options_for(ProtocolVersion::dtls13));
    moving.connect();
    auto& [client, server] = moving.pair;
    const auto snapshot = must(server.connection().snapshot({}));
    must(server.connection().snapshot_stored(snapshot.id, {}));
    EXPECT_FALSE(server.connection().snapshot_due());
    ASSERT_TRUE(
        moving.peer(who).connection().update_keys(KeyUpdateRequest::update_not_requested, {}));
    Instant now{};
    for (int i = 0; i < 4; ++i) {
      moving.pair.run(now);
      now += std::chrono::seconds{1};
      for (Peer* peer : {&client, &server}) {
        peer->settle(peer->connection().handle_timeout(now), now);
      }
    }
    EXPECT_TRUE(server.connection().snapshot_due());
    Buffer out(200);
    const auto sealed = server.connection().seal(bytes_of("data"), out);
    EXPECT_EQ(sealed.has_value(), who == Role::client) << "the keys of this side";
    const auto next = must(server.connection().snapshot({}));
    must(server.connection().snapshot_stored(next.id, now));
    EXPECT_FALSE(server.connection().snapshot_due());
    EXPECT_TRUE(works(moving.pair));
    EXPECT_EQ(moving.repeated_numbers(), 0U);
  }
}

TEST(Snapshots13, NewConnectionIdsNeedANewOne) {
  ConfigOptions with_ids = test::options_for(ProtocolVersion::dtls13);
  with_ids.connection_id_size = 8;
  for (const Role who : kRoles) {
    MovingPair moving(with_ids);
    moving.connect();
    moving.let_pass(Instant(std::chrono::seconds{10}));
    Connection& server = moving.pair.server.connection();
    const Instant now(std::chrono::seconds{10});
    const auto take = [&] {
      const auto snapshot = must(server.snapshot({}));
      must(server.snapshot_stored(snapshot.id, now));
    };
    take();
    EXPECT_TRUE(works(moving.pair));
    EXPECT_FALSE(server.snapshot_due());
    ASSERT_TRUE(moving.peer(who).connection().renew_connection_id(now));
    moving.pair.run(now);
    EXPECT_TRUE(server.snapshot_due());
    take();
    EXPECT_FALSE(server.snapshot_due());
  }
}

}  // namespace
}  // namespace sluice::dtls
