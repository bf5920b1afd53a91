#include <map>
#include <string>

#include "support/connections.h"

namespace sluice::dtls {
namespace {

using std::chrono::milliseconds;
using test::bytes_of;
using test::connected_pair;
using test::discards;
using test::from_hex;
using test::Pair;
using test::Peer;

class Counters : public test::ByVersion {};
INSTANTIATE_TEST_SUITE_P(Versions, Counters, test::both_versions(), test::name_of_version);

TEST_P(Counters, BothSidesCountTheSameRecords) {
  Pair pair = connected_pair(options());
  for (int i = 0; i < 5; ++i) pair.server.receive(pair.client.seal(bytes_of("data")), {});
  const Statistics& client = pair.client.connection().statistics();
  const Statistics& server = pair.server.connection().statistics();
  EXPECT_EQ(client.records_sent, server.records_received);
  EXPECT_EQ(server.records_sent, client.records_received);
  EXPECT_GT(client.records_sent, 5U + 1U);
  EXPECT_EQ(server.datagrams_received, 1U + 1U + 5U) << "two flights and the data";
  EXPECT_EQ(client.total_discarded() + server.total_discarded(), 0U);
  EXPECT_EQ(client.timeouts + client.flights_retransmitted, 0U);
}

TEST_P(Counters, BytesAndDatagramsOfBothSidesAreTheSame) {
  Pair pair = connected_pair(options());
  for (int i = 0; i < 5; ++i) pair.server.receive(pair.client.seal(bytes_of("data")), {});
  const Statistics client = pair.client.connection().statistics();
  const Statistics server = pair.server.connection().statistics();
  EXPECT_EQ(client.datagrams_sent, server.datagrams_received);
  EXPECT_EQ(client.bytes_sent, server.bytes_received);
  EXPECT_EQ(server.datagrams_sent, client.datagrams_received);
  EXPECT_EQ(server.bytes_sent, client.bytes_received);
  EXPECT_GT(client.bytes_sent, 5U * 4U);
}

TEST_P(Counters, TheHandshakeHasADuration) {
  Pair pair(options());
  Instant now{};
  EXPECT_FALSE(pair.client.connection().statistics().handshake_duration);
  for (Peer* from : {&pair.client, &pair.server, &pair.client, &pair.server}) {
    now += milliseconds{20};
    pair.flight(*from, now);
  }
  ASSERT_TRUE(pair.client.connected && pair.server.connected);
  // Flights arrive after 20, 40, 60 and 80 ms. The last that a side needs ends its handshake.
  const auto last = [&](const Peer& peer) {
    return peer.connection().statistics().handshake_duration;
  };
  EXPECT_EQ(last(pair.client), is13() ? milliseconds{40} : milliseconds{80});
  EXPECT_EQ(last(pair.server), milliseconds{40}) << "from the first hello";
}

TEST_P(Counters, AreReadWithTheirNames) {
  Pair pair = connected_pair(options());
  pair.server.receive(from_hex("17"), {});
  const Statistics statistics = pair.server.connection().statistics();
  std::map<std::string, std::uint64_t> all;
  for_each_counter(statistics, [&](std::string_view name, std::string_view reason,
                                   std::uint64_t value) {
    const bool is_new = all.emplace(std::string(name) + "/" + std::string(reason), value).second;
    EXPECT_TRUE(is_new) << name << reason;
  });
  EXPECT_EQ(all.size(), 11U + kDiscardReasons);
  EXPECT_EQ(all.at("bytes_sent/"), statistics.bytes_sent);
  EXPECT_EQ(all.at("discarded/malformed_record"), 1U);
  EXPECT_EQ(statistics.count(Discard::malformed_record), 1U);
}

TEST_P(Counters, EveryDiscardHasItsReason) {
  Pair pair = connected_pair(options());
  Peer& server = pair.server;
  const std::uint64_t received = server.connection().statistics().records_received;
  std::uint32_t total = 0;
  const auto expect_discard = [&](Buffer datagram, Discard reason) {
    const std::uint32_t before = discards(server, reason);
    server.receive(std::move(datagram), {});
    EXPECT_EQ(discards(server, reason), before + 1) << to_string(reason);
    EXPECT_EQ(server.connection().statistics().total_discarded(), ++total) << to_string(reason);
  };
  expect_discard(from_hex("17"), Discard::malformed_record);
  expect_discard(from_hex("17 fefd 0001 000000000000 0005 aa"), Discard::malformed_record);
  expect_discard(from_hex("17 0303 0001 000000000000 0001 aa"), Discard::unknown_version);
  expect_discard(from_hex("17 fefd 0002 000000000000 0001 aa"), Discard::unknown_epoch);
  expect_discard(from_hex("15 fefd 0000 000000000009 0002 0228"), Discard::unknown_epoch);
  const Buffer data = pair.client.seal(bytes_of("data"));
  Buffer forged = data;
  forged.back() ^= std::byte{1};
  expect_discard(forged, Discard::authentication_failed);
  if (is13()) {
    // Epoch 1 was early data's, which nobody offered; a mask needs 16 bytes of ciphertext.
    expect_discard(from_hex("2d 0009 0002 aaaa"), Discard::unknown_epoch);
    expect_discard(from_hex("2f 0009 0002 aaaa"), Discard::malformed_record);
    expect_discard(from_hex("15 fefd 0001 000000ffffff 0002 0228"), Discard::unknown_epoch);
  } else {
    expect_discard(from_hex("15 fefd 0001 000000ffffff 0002 0228"), Discard::authentication_failed);
  }
  server.receive(data, {});
  expect_discard(data, Discard::replayed);
  EXPECT_EQ(server.connection().statistics().records_received, received + 1);
  EXPECT_FALSE(server.error);
  EXPECT_EQ(server.data.size(), 1U);
  EXPECT_TRUE(server.take_datagrams().empty()) << "nobody is told";
  server.settle(server.connection().close({}), {});
  expect_discard(pair.client.seal(bytes_of("data")), Discard::after_close);
}

TEST_P(Counters, AnEmptyDatagramIsADatagram) {
  Pair pair(options());
  pair.server.receive({}, {});
  EXPECT_EQ(pair.server.connection().statistics().datagrams_received, 1U);
  EXPECT_EQ(pair.server.connection().statistics().total_discarded(), 0U);
  EXPECT_FALSE(pair.server.error);
}

TEST_P(Counters, PlaintextRecordsOfUnknownContentAreIgnored) {
  Pair pair(options());
  pair.server.receive(from_hex("18 fefd 0000 000000000000 0003 010000"), {});
  EXPECT_EQ(discards(pair.server, Discard::unexpected_content), 1U);
  pair.server.receive(from_hex("17 fefd 0000 000000000000 0003 010000"), {});
  EXPECT_EQ(discards(pair.server, Discard::unexpected_content), 2U);
  EXPECT_TRUE(pair.server.data.empty());
  pair.run();
  EXPECT_TRUE(pair.server.connected);
}

TEST_P(Counters, TheRoundTripTimeIsOfAFlightSentOnce) {
  Pair pair(options());
  EXPECT_FALSE(pair.client.connection().statistics().rtt);
  pair.flight(pair.client, Instant{milliseconds{40}});
  pair.flight(pair.server, Instant{milliseconds{80}});
  EXPECT_EQ(pair.client.connection().statistics().rtt, milliseconds{80});
  pair.flight(pair.client, Instant{milliseconds{150}});
  EXPECT_EQ(pair.server.connection().statistics().rtt, milliseconds{110});
}

// Karn's rule: an answer may belong to either of two transmissions.
TEST_P(Counters, ARepeatedFlightGivesNoRoundTripTime) {
  Pair pair(options());
  pair.client.take_datagrams();
  pair.client.settle(pair.client.connection().handle_timeout(Instant{milliseconds{1000}}), {});
  pair.flight(pair.client, Instant{milliseconds{1040}});
  pair.flight(pair.server, Instant{milliseconds{1080}});
  EXPECT_FALSE(pair.client.connection().statistics().rtt);
  EXPECT_EQ(pair.client.connection().statistics().timeouts, 1U);
  EXPECT_EQ(pair.client.connection().statistics().flights_retransmitted, 1U);
}

TEST_P(Counters, AMeasuredRoundTripTimeSetsTheNextTimeout) {
  Pair pair(options());
  pair.flight(pair.client, Instant{milliseconds{40}});
  pair.flight(pair.server, Instant{milliseconds{80}});
  // 2 x 80 ms after its second flight.
  EXPECT_EQ(pair.client.connection().next_timeout(), Instant{milliseconds{80 + 160}});

  Pair told(options());
  told.client.connection().set_path_rtt(milliseconds{300});
  told.flight(told.client, Instant{milliseconds{40}});
  told.flight(told.server, Instant{milliseconds{80}});
  EXPECT_EQ(told.client.connection().next_timeout(), Instant{milliseconds{80 + 600}})
      << "the path's own measure goes before the handshake's";
}

TEST_P(Counters, AKnownRoundTripTimeSetsTheFirstTimeoutOfTheFirstHello) {
  Pair pair(options());
  Connection& client = pair.client.connection();
  client.set_path_rtt(milliseconds{100});
  EXPECT_EQ(client.next_timeout(), Instant{milliseconds{200}});
  EXPECT_FALSE(pair.client.take_datagrams().empty());
  client.set_path_rtt(milliseconds{300});
  EXPECT_EQ(client.next_timeout(), Instant{milliseconds{200}}) << "it has left";
}

TEST_P(Counters, StaleMessagesAreThePeersRetransmissions) {
  Pair pair(options());
  const auto hello = pair.client.take_datagrams();
  ASSERT_EQ(hello.size(), 1U);
  pair.server.receive(hello[0], {});
  pair.server.take_datagrams();
  pair.server.receive(hello[0], Instant{milliseconds{10}});
  EXPECT_EQ(discards(pair.server, Discard::stale_message), 1U);
  EXPECT_TRUE(pair.server.take_datagrams().empty()) << "so soon its flight may be under way";
  pair.server.receive(hello[0], Instant{milliseconds{600}});
  EXPECT_EQ(discards(pair.server, Discard::stale_message), 2U);
  EXPECT_FALSE(pair.server.take_datagrams().empty());
  EXPECT_EQ(pair.server.connection().statistics().flights_retransmitted, 1U);
}

}  // namespace
}  // namespace sluice::dtls
