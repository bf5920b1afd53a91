// a=sctp-init: associations without a handshake (draft-hancke-tsvwg-snap).
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sluice/data_channel/association.h>

#include "support/bytes.h"
#include "support/channel_pair.h"

namespace sluice::data_channel {
namespace {

using namespace std::chrono_literals;
using test::ChannelPair;

constexpr Options kWaiting{.wait_for_start = true};

class SnapTest : public testing::Test {
 protected:
  dtls::Buffer init_of(Association& association) { return test::copy_of(association.local_init()); }
  // After the time that signalling took.
  void start_both() {
    const auto client_init = init_of(pair_.client());
    const auto server_init = init_of(pair_.server());
    ASSERT_TRUE(pair_.client().start(server_init, pair_.now()));
    ASSERT_TRUE(pair_.server().start(client_init, pair_.now()));
  }
  void expect_works() {
    const auto id = pair_.client().open({}, pair_.now()).value();
    const auto back = pair_.server().open({}, pair_.now()).value();
    ASSERT_TRUE(pair_.client().send(id, MessageType::binary, test::counted(50'000), pair_.now()));
    ASSERT_TRUE(pair_.server().send(back, MessageType::binary, test::counted(50'000), pair_.now()));
    ASSERT_TRUE(pair_.run_until(
        [&] { return !pair_.ends[0].messages.empty() && !pair_.ends[1].messages.empty(); }));
    ASSERT_TRUE(pair_.client().close_channel(id, pair_.now()));
    EXPECT_TRUE(pair_.run_until([&] { return !pair_.ends[1].closed_channels.empty(); }));
  }

  ChannelPair pair_{{}, 1, kWaiting, kWaiting};
};

TEST_F(SnapTest, IsEstablishedWithoutAPacket) {
  start_both();
  ASSERT_TRUE(pair_.establish());
  EXPECT_EQ(pair_.ends[0].packets + pair_.ends[1].packets, 0U);
  EXPECT_EQ(pair_.now(), dtls::Instant{});
  expect_works();
}

// A peer that sends on more streams than it takes: a channel needs both directions.
TEST_F(SnapTest, AStreamOfOneDirectionIsNoChannel) {
  const auto client_init = init_of(pair_.client());
  auto server_init = init_of(pair_.server());
  constexpr std::size_t kStreamsTaken = 14;  // of an INIT (RFC 9260 section 3.3.2)
  server_init[kStreamsTaken] = std::byte{0};
  server_init[kStreamsTaken + 1] = std::byte{10};
  ASSERT_TRUE(pair_.client().start(server_init, pair_.now()));
  ASSERT_TRUE(pair_.server().start(client_init, pair_.now()));
  ASSERT_TRUE(pair_.establish());
  for (int i = 0; i < 6; ++i) ASSERT_TRUE(pair_.server().open({}, pair_.now()));  // 1 to 11
  const ChannelId other{201};
  ASSERT_TRUE(pair_.server().open_negotiated(other, {}, pair_.now()));
  ASSERT_TRUE(pair_.server().send(other, MessageType::binary, test::counted(3), pair_.now()));
  pair_.run_for(2s);
  EXPECT_EQ(pair_.ends[0].opened.size(), 5U);
  const auto statistics = pair_.client().statistics();
  EXPECT_EQ(statistics.count(Drop::refused_open), 1U);
  EXPECT_EQ(statistics.count(Drop::unknown_channel), 1U);
  // Its streams cannot be reset, which must not keep others from it.
  const auto id = pair_.client().open({}, pair_.now()).value();
  ASSERT_TRUE(pair_.client().close_channel(id, pair_.now()));
  EXPECT_TRUE(pair_.run_until([&] { return !pair_.ends[0].closed_channels.empty(); }, 10s));
  pair_.run_for(5s);
  EXPECT_FALSE(pair_.client().next_timeout()) << "it waits for nothing";
}

// RFC 8831 section 6.7 needs RFC 6525, which the peer's INIT does not name.
TEST_F(SnapTest, ChannelsCloseAlsoWhereThePeerResetsNoStreams) {
  const auto client_init = init_of(pair_.client());
  auto server_init = init_of(pair_.server());
  constexpr std::size_t kWithoutParameters = 20;
  server_init.resize(kWithoutParameters);
  server_init[2] = std::byte{0};
  server_init[3] = std::byte{kWithoutParameters};
  ASSERT_TRUE(pair_.client().start(server_init, pair_.now()));
  ASSERT_TRUE(pair_.server().start(client_init, pair_.now()));
  ASSERT_TRUE(pair_.establish());
  const auto id = pair_.client().open({}, pair_.now()).value();
  pair_.run_for(1s);
  ASSERT_TRUE(pair_.client().close_channel(id, pair_.now()));
  EXPECT_TRUE(pair_.run_until([&] { return !pair_.ends[0].closed_channels.empty(); }, 10s));
  pair_.run_for(5s);
  EXPECT_FALSE(pair_.client().next_timeout());
}

TEST_F(SnapTest, MayWaitForSignalling) {
  pair_.run_for(600s);
  EXPECT_EQ(pair_.ends[0].packets, 0U);
  EXPECT_FALSE(pair_.client().next_timeout());
  start_both();
  ASSERT_TRUE(pair_.establish());
  EXPECT_EQ(pair_.ends[0].packets, 0U);
  expect_works();
}

// Fast retransmissions, and timeouts that do not grow with the time that signalling took.
TEST_F(SnapTest, LossIsRepairedSoon) {
  pair_.run_for(60s);
  start_both();
  ASSERT_TRUE(pair_.establish());
  const auto id = pair_.client().open({}, pair_.now()).value();
  int packets = 0;
  pair_.drop = [&](std::size_t sender, dtls::Bytes /*packet*/) {
    return sender == 0 && packets++ == 0;
  };
  const auto begin = pair_.now();
  ASSERT_TRUE(pair_.client().send(id, MessageType::text, {}, pair_.now()));
  ASSERT_TRUE(pair_.run_until([&] { return !pair_.ends[1].messages.empty(); }));
  EXPECT_LE(pair_.now() - begin, 5s);
}

TEST_F(SnapTest, WithoutThePeersInitThereIsAHandshake) {
  pair_.run_for(30s);
  ASSERT_TRUE(pair_.client().start({}, pair_.now()));
  ASSERT_TRUE(pair_.server().start({}, pair_.now()));
  const auto begin = pair_.now();
  ASSERT_TRUE(pair_.establish());
  EXPECT_LE(pair_.now() - begin, 1s);
  expect_works();
}

TEST_F(SnapTest, MalformedInitIsRefused) {
  EXPECT_EQ(pair_.client().start(test::counted(30), pair_.now()).error().code, Errc::invalid_init);
  ASSERT_TRUE(pair_.client().start({}, pair_.now()));
  EXPECT_EQ(pair_.client().start({}, pair_.now()).error().code, Errc::wrong_state);
}

// The peer sends data as soon as its DTLS is connected, and who polls MediaTransport's data before
// its events gets them before TransportConnected.
TEST_F(SnapTest, PacketsBeforeStartAreKept) {
  const auto client_init = init_of(pair_.client());
  ASSERT_TRUE(pair_.client().start(init_of(pair_.server()), pair_.now()));
  const auto id = pair_.client().open({}, pair_.now()).value();
  ASSERT_TRUE(pair_.client().send(id, MessageType::text, test::counted(5), pair_.now()));
  pair_.run_for(100ms);
  EXPECT_TRUE(pair_.ends[1].messages.empty());
  ASSERT_TRUE(pair_.server().start(client_init, pair_.now()));
  ASSERT_TRUE(pair_.run_until([&] { return !pair_.ends[1].messages.empty(); }, 1ms));
  expect_works();
}

TEST_F(SnapTest, PeersInitBeforeStartIsKept) {
  ASSERT_TRUE(pair_.client().start({}, pair_.now()));
  pair_.run_for(100ms);
  ASSERT_TRUE(pair_.server().start({}, pair_.now()));
  ASSERT_TRUE(pair_.run_until([&] { return pair_.ends[0].established; }, 100ms));
  expect_works();
}

TEST_F(SnapTest, PacketsBeforeStartAreBounded) {
  const auto dropped = [&] { return pair_.client().statistics().count(Drop::early_full); };
  for (int i = 0; i < 20; ++i) pair_.client().handle_packet(test::counted(1000), pair_.now());
  EXPECT_EQ(dropped(), 4U) << "of 20,000 bytes 16,384 have room";
  for (int i = 0; i < 20; ++i) pair_.client().handle_packet({}, pair_.now());
  EXPECT_EQ(dropped(), 4U + 4U) << "of the other packets 16";
  start_both();
  expect_works();
}

// An offer has the INIT; the answer brings the rest.
TEST_F(SnapTest, RoleAndLimitMayComeWithTheAnswer) {
  pair_.client().set_role(dtls::Role::server);
  pair_.server().set_role(dtls::Role::client);
  pair_.client().set_peer_max_message_size(10);
  start_both();
  const auto id = pair_.client().open({}, pair_.now()).value();
  EXPECT_EQ(id, ChannelId{1});
  EXPECT_EQ(pair_.server().open({}, pair_.now()).value(), ChannelId{0});
  const auto send = [&](std::size_t size) {
    return pair_.client().send(id, MessageType::binary, test::counted(size), pair_.now());
  };
  EXPECT_TRUE(send(10));
  EXPECT_EQ(send(11).error().code, Errc::message_too_large);
  pair_.client().set_peer_max_message_size(11);
  EXPECT_TRUE(send(11));
}

// Found by fuzzing: AUTH's list of chunks without AUTH's random number (RFC 4895 section 6.1).
TEST_F(SnapTest, ContradictionIsRefused) {
  const auto init = test::from_hex(
      "01 00 00 1e 00 0c 6c f0 00 50 00 11 11 11 11 11 11 11 11 11 80 03 00 04 80 08 00 06 82 c0");
  EXPECT_EQ(pair_.client().start(init, pair_.now()).error().code, Errc::invalid_init);
  ASSERT_TRUE(pair_.client().start({}, pair_.now()));
  ASSERT_TRUE(pair_.server().start({}, pair_.now()));
  expect_works();
}

TEST(Snap, NoInitWithoutTheOption) {
  ChannelPair pair;
  EXPECT_TRUE(pair.client().local_init().empty());
}

}  // namespace
}  // namespace sluice::data_channel
