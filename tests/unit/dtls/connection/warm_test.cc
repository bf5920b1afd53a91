// Connections without ciphers: only those that were used last have any.
#include <gtest/gtest.h>

#include <deque>

#include "support/connections.h"
#include "support/record_access.h"

namespace sluice::dtls {
namespace {

using test::bytes_of;
using test::must;
using test::Peer;

bool is_cold(Peer& peer) { return test::records_of(peer.connection()).is_cold(); }

class Warm : public test::ByVersion {
 protected:
  // Neither has sent anything yet.
  test::Pair begin_pair() {
    const auto config = test::make_config(options());
    test::Pair pair;
    pair.client = Peer(must(Connection::client(config, environment_, test::kPath, {})));
    pair.server = Peer(must(Connection::server(config, environment_, test::kPath, {})));
    return pair;
  }
  test::Pair make_pair() {
    test::Pair pair = begin_pair();
    pair.run();
    EXPECT_TRUE(pair.client.connected && pair.server.connected);
    return pair;
  }

  // Whoever is used has all others of this environment go cold.
  Environment environment_ = must(Environment::make({.max_warm_connections = 1}));
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

// Nobody has to be asked for ciphers to see that these are nothing.
TEST_P(Warm, WhatCanBeNoRecordMakesNoCiphers) {
  test::Pair pair = make_pair();
  pair.client.seal(bytes_of("the server goes cold"));
  for (const auto* const junk : {"2300", "2f000100 0f 000000000000000000000000000000", "2100",
                                 "17fefd0001000000000009 0000", "17fefd0001000000000009 0001 aa",
                                 "17fefd0003000000000009 0001 aa", "17fefd0001000000000009 ffff"}) {
    pair.server.receive(test::from_hex(junk), {});
    EXPECT_TRUE(is_cold(pair.server)) << junk;
  }
  EXPECT_EQ(pair.server.connection().statistics().total_discarded(), 7U);
}

// Whoever has no key takes one place from those who have, whatever he tries.
TEST_P(Warm, ForgeriesDoNotPushOutThoseInUse) {
  environment_ = must(Environment::make({.max_warm_connections = 6}));
  std::deque<test::Pair> pairs;
  for (int i = 0; i < 6; ++i) pairs.push_back(make_pair());
  std::vector<Buffer> forgeries;
  for (std::size_t i = 0; i < 3; ++i) {
    forgeries.push_back(pairs[i].client.seal(bytes_of("data")));
    forgeries.back().back() ^= std::byte{1};
  }
  for (std::size_t i = 3; i < 6; ++i) EXPECT_TRUE(works(pairs[i]));
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(is_cold(pairs[i].server));
    pairs[i].server.receive(std::move(forgeries[i]), {});
  }
  int cold = 0;
  for (std::size_t i = 3; i < 6; ++i) cold += is_cold(pairs[i].client) + is_cold(pairs[i].server);
  EXPECT_EQ(cold, 1);
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
  test::Pair pair = begin_pair();
  pair.server.accepts_peer = false;
  pair.run();
  ASSERT_TRUE(pair.server.question);
  test::Pair other = make_pair();
  EXPECT_TRUE(works(other));
  pair.server.receive(pair.client.seal(bytes_of("early")), {});
  pair.server.settle(pair.server.connection().answer(*pair.server.question, AcceptPeer{}, {}), {});
  EXPECT_EQ(pair.server.data.size(), 1u);
}

TEST_P(Warm, AnEmptyRecordBeforeAcceptanceIsDelivered) {
  test::Pair pair = test::unaccepted_pair(options());
  pair.client.settle(pair.client.connection().answer(*pair.client.question, AcceptPeer{}, {}), {});
  pair.server.receive(pair.client.seal({}), {});
  pair.server.receive(pair.client.seal(bytes_of("data")), {});
  pair.server.settle(pair.server.connection().answer(*pair.server.question, AcceptPeer{}, {}), {});
  ASSERT_EQ(pair.server.data.size(), 2U);
  EXPECT_TRUE(pair.server.data.front().empty());
}

// A short record of CCM_8 is padded (RFC 9147 section 4.2.3): what is too small for that says so,
// and spends no number.
TEST(SealCcm8, NeedsRoomForItsShortestRecord) {
  ConfigOptions options = test::options_for(ProtocolVersion::dtls13);
  options.cipher_suites = {CipherSuite::aes_128_ccm_8_sha256};
  options.max_forgeries_per_key = 1000;
  test::Pair pair = test::connected_pair(options);
  Connection& client = pair.client.connection();
  const Buffer data(1);
  const std::size_t needed = client.sealed_size(data.size());
  Buffer out(needed);
  for (std::size_t size = 0; size < needed; ++size) {
    const auto sealed = client.seal(data, MutableBytes(out).first(size));
    ASSERT_FALSE(sealed);
    EXPECT_EQ(sealed.error(), SendError::buffer_too_small) << size;
  }
  EXPECT_EQ(client.seal(data, out), needed);
}

TEST(WarmEnvironment, OneIsTheLeast) {
  const auto none = Environment::make({.max_warm_connections = 0});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Errc::invalid_config);
}

}  // namespace
}  // namespace sluice::dtls
