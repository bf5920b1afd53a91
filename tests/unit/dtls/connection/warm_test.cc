// Connections without ciphers: only those that were used last have any.
#include <gtest/gtest.h>

#include <deque>

#include "support/connections.h"

namespace sluice::dtls {
namespace {

using test::bytes_of;
using test::must;
using test::Peer;

// Whoever is used has all others of this environment go cold.
Environment one_warm() { return must(Environment::make({.max_warm_connections = 1})); }

class Warm : public test::ByVersion {
 protected:
  test::Pair make_pair(const ConfigOptions& options) {
    const auto config = test::make_config(options);
    test::Pair pair;
    pair.client = Peer(must(Connection::client(config, environment_, test::kPath, {})));
    pair.server = Peer(must(Connection::server(config, environment_, test::kPath, {})));
    pair.run();
    EXPECT_TRUE(pair.client.connected && pair.server.connected);
    return pair;
  }
  test::Pair make_pair() { return make_pair(options()); }

  Environment environment_ = one_warm();
};

INSTANTIATE_TEST_SUITE_P(Versions, Warm, test::both_versions(), test::name_of_version);

TEST_P(Warm, ManySessionsTakeTurns) {
  std::deque<test::Pair> pairs;
  for (int i = 0; i < 4; ++i) pairs.push_back(make_pair());
  for (int round = 0; round < 3; ++round) {
    for (auto& pair : pairs) EXPECT_TRUE(works(pair));
  }
  for (const auto& pair : pairs) {
    EXPECT_EQ(pair.server.connection().statistics().total_discarded(), 0u);
  }
}

TEST_P(Warm, TheReplayWindowOutlivesTheCiphers) {
  test::Pair pair = make_pair();
  const Buffer record = pair.client.seal(bytes_of("once"));
  pair.server.receive(record, {});
  pair.client.seal(bytes_of("the server goes cold"));
  pair.server.receive(record, {});
  EXPECT_EQ(pair.server.data.size(), 1u);
  EXPECT_EQ(discards(pair.server, Discard::replayed), 1u);
}

TEST_P(Warm, NoNumberIsUsedTwice) {
  test::Pair pair = make_pair();
  std::vector<Buffer> records;
  for (int i = 0; i < 5; ++i) {
    records.push_back(pair.server.seal(bytes_of("the same")));
    pair.client.seal(bytes_of("the server goes cold"));
  }
  for (Buffer& record : records) pair.client.receive(std::move(record), {});
  EXPECT_EQ(pair.client.data.size(), 5u);
}

TEST_P(Warm, AForgeryIsDiscardedAndCounted) {
  test::Pair pair = make_pair();
  Buffer record = pair.client.seal(bytes_of("data"));
  record.back() ^= std::byte{1};
  pair.server.receive(std::move(record), {});
  EXPECT_EQ(discards(pair.server, Discard::authentication_failed), 1u);
  EXPECT_TRUE(works(pair));
}

TEST_P(Warm, CloseNotifyIsSealedAllTheSame) {
  test::Pair pair = make_pair();
  pair.client.seal(bytes_of("the server goes cold"));
  ASSERT_TRUE(pair.server.connection().close({}));
  // Neither does another take its ciphers before it has left.
  test::Pair other = make_pair();
  EXPECT_TRUE(works(other));
  pair.flight(pair.server);
  EXPECT_TRUE(pair.client.closed);
}

TEST_P(Warm, KeysAreUpdatedInTheCold) {
  if (!is13()) GTEST_SKIP() << "DTLS 1.2 has no KeyUpdate";
  test::Pair pair = make_pair();
  for (int i = 0; i < 3; ++i) {
    pair.client.seal(bytes_of("the server goes cold"));
    ASSERT_TRUE(pair.server.connection().update_keys(KeyUpdateRequest::update_requested, {}));
    pair.run();
    EXPECT_TRUE(works(pair));
  }
}

TEST_P(Warm, NothingGoesColdBeforeThePeerIsAccepted) {
  const auto config = test::make_config(options());
  test::Pair pair;
  pair.client = Peer(must(Connection::client(config, environment_, test::kPath, {})));
  pair.server = Peer(must(Connection::server(config, environment_, test::kPath, {})));
  pair.server.accepts_peer = false;
  pair.run();
  ASSERT_TRUE(pair.server.question);
  test::Pair other = make_pair();
  EXPECT_TRUE(works(other));
  pair.server.receive(pair.client.seal(bytes_of("early")), {});
  pair.server.settle(pair.server.connection().answer(*pair.server.question, AcceptPeer{}, {}), {});
  EXPECT_EQ(pair.server.data.size(), 1u);
}

TEST(WarmEnvironment, OneIsTheLeast) {
  const auto none = Environment::make({.max_warm_connections = 0});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Errc::invalid_config);
}

}  // namespace
}  // namespace sluice::dtls
