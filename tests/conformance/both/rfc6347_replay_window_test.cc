// Replay windows of other sizes, and none, in both versions (RFC 6347 section 4.1.2.6).
#include "support/connections.h"
#include "support/record_access.h"

namespace sluice::test {
namespace {

using dtls::Buffer;
using dtls::Discard;

class ReplayWindowOption : public ByVersion {
 protected:
  static dtls::ConfigOptions with_window(std::size_t size) {
    dtls::ConfigOptions with = options();
    with.replay_window = size;
    return with;
  }
};

TEST_P(ReplayWindowOption, ReachesSoFarBack) {
  for (const std::size_t size : {64U, 256U, 1024U}) {
    Pair pair = connected_pair(with_window(size));
    const Buffer too_old = pair.client.seal(buffer_of("too old"));
    const Buffer oldest = pair.client.seal(buffer_of("oldest"));
    Buffer newest;
    for (std::size_t i = 1; i < size; ++i) newest = pair.client.seal(buffer_of("newest"));
    for (const Buffer& record : {newest, too_old, oldest, oldest}) pair.server.receive(record, {});
    EXPECT_EQ(pair.server.data, (std::vector{buffer_of("newest"), buffer_of("oldest")})) << size;
    EXPECT_EQ(discards(pair.server, Discard::replayed), 2U);
  }
}

TEST_P(ReplayWindowOption, OffTakesApplicationDataAgain) {
  Pair pair = connected_pair(with_window(0));
  const Buffer first = pair.client.seal(buffer_of("first"));
  for (int i = 0; i < 1000; ++i) pair.server.receive(pair.client.seal(buffer_of("more")), {});
  for (int i = 0; i < 3; ++i) pair.server.receive(first, {});
  EXPECT_EQ(pair.server.data.size(), 1003U);
  EXPECT_EQ(discards(pair.server, Discard::replayed), 0U);
}

// It is only ever off for that: an alert is taken once.
TEST_P(ReplayWindowOption, OffTakesNothingElseAgain) {
  Pair pair = connected_pair(with_window(0));
  auto& records = records_of(pair.client.connection());
  const Buffer warning = from_hex("01 5a");  // user_canceled
  Buffer record(100);
  record.resize(
      records.seal(records.write_epoch(), dtls::ContentType::alert, warning, record).value());
  pair.server.receive(record, {});
  EXPECT_EQ(discards(pair.server, Discard::replayed), 0U);
  pair.server.receive(record, {});
  EXPECT_EQ(discards(pair.server, Discard::replayed), 1U);
  EXPECT_TRUE(works(pair));
}

// Nor does the handshake mind: each datagram comes twice, and all of them once more at its end.
TEST_P(ReplayWindowOption, OffLeavesTheHandshakeAlone) {
  Pair pair(with_window(0));
  std::vector<std::pair<bool, Buffer>> all;
  for (int i = 0; i < 10; ++i) {
    for (const bool from_client : {true, false}) {
      Peer& from = from_client ? pair.client : pair.server;
      Peer& to = from_client ? pair.server : pair.client;
      for (const auto& datagram : from.take_datagrams()) {
        all.emplace_back(from_client, datagram);
        to.receive(datagram, {});
        to.receive(datagram, {});
      }
    }
  }
  ASSERT_TRUE(works(pair));
  for (const auto& [from_client, datagram] : all) {
    (from_client ? pair.server : pair.client).receive(datagram, {});
  }
  EXPECT_TRUE(works(pair));
}

TEST_P(ReplayWindowOption, OtherSizesAreRefused) {
  for (const std::size_t size : {1U, 32U, 65U, 8256U}) {
    EXPECT_FALSE(dtls::Config::make(with_window(size))) << size;
  }
  EXPECT_TRUE(dtls::Config::make(with_window(dtls::ConfigOptions::kMaximumReplayWindow)));
}

INSTANTIATE_TEST_SUITE_P(Versions, ReplayWindowOption, both_versions(), name_of_version);

}  // namespace
}  // namespace sluice::test
