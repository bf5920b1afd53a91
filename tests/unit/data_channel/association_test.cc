#include <sluice/data_channel/association.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "support/bytes.h"
#include "support/channel_pair.h"

namespace sluice::data_channel {
namespace {

using namespace std::chrono_literals;
using test::ChannelEnd;
using test::ChannelPair;
using testing::ElementsAre;

class AssociationTest : public testing::Test {
 protected:
  // A channel of the client that both sides know.
  ChannelId open(const ChannelOptions& options = {}) {
    const auto before = pair_.ends[1].opened.size();
    const ChannelId id = pair_.client().open(options, pair_.now()).value();
    EXPECT_TRUE(pair_.run_until([&] {
      return pair_.ends[1].opened.size() > before && !pair_.ends[0].acknowledged.empty() &&
             pair_.ends[0].acknowledged.back() == id;
    }));
    return id;
  }
  void expect_arrives(ChannelId id, MessageType type, const dtls::Buffer& data) {
    pair_.ends[1].messages.clear();
    ASSERT_TRUE(pair_.client().send(id, type, data, pair_.now()));
    ASSERT_TRUE(pair_.run_until([&] { return !pair_.ends[1].messages.empty(); }));
    EXPECT_TRUE(pair_.ends[1].messages ==
                (std::vector<ChannelEnd::Message>{{.id = id, .type = type, .data = data}}));
  }

  ChannelPair pair_;
};

TEST_F(AssociationTest, IsEstablishedFromBothSides) {
  EXPECT_FALSE(pair_.client().established());
  ASSERT_TRUE(pair_.establish());
  EXPECT_TRUE(pair_.client().established());
  EXPECT_TRUE(pair_.server().established());
}

TEST_F(AssociationTest, NeedsNoTimerWhereNothingHappens) {
  ASSERT_TRUE(pair_.establish());
  pair_.run_for(10s);
  EXPECT_FALSE(pair_.client().next_timeout());
  EXPECT_FALSE(pair_.server().next_timeout());
  // After an hour of silence it still works.
  pair_.run_for(3600s);
  expect_arrives(open(), MessageType::text, test::buffer_of("hello"));
}

TEST_F(AssociationTest, PeerLearnsTheOptions) {
  ASSERT_TRUE(pair_.establish());
  open({.label = "chat", .protocol = "xmpp", .ordered = false, .max_retransmits = 3});
  const auto& options = pair_.ends[1].opened.at(0).options;
  EXPECT_EQ(options.label, "chat");
  EXPECT_EQ(options.protocol, "xmpp");
  EXPECT_FALSE(options.ordered);
  EXPECT_EQ(options.max_retransmits, 3U);
  open({.max_lifetime = 250ms, .priority = 512});
  EXPECT_EQ(pair_.ends[1].opened.at(1).options.max_lifetime, 250ms);
  EXPECT_EQ(pair_.ends[1].opened.at(1).options.priority, 512);
}

// RFC 8832 section 6.
TEST_F(AssociationTest, IdsFollowTheRole) {
  EXPECT_EQ(pair_.client().open({}, pair_.now()).value(), ChannelId{0});
  EXPECT_EQ(pair_.client().open({}, pair_.now()).value(), ChannelId{2});
  EXPECT_EQ(pair_.server().open({}, pair_.now()).value(), ChannelId{1});
  // They were opened before the association was established.
  ASSERT_TRUE(pair_.run_until([&] {
    return pair_.ends[0].acknowledged.size() == 2 && pair_.ends[1].acknowledged.size() == 1;
  }));
  EXPECT_EQ(pair_.ends[0].opened.at(0).id, ChannelId{1});
}

TEST_F(AssociationTest, EveryKindOfMessage) {
  ASSERT_TRUE(pair_.establish());
  const auto id = open();
  for (const auto type : {MessageType::text, MessageType::binary}) {
    expect_arrives(id, type, {});
    expect_arrives(id, type, {std::byte{0}});
    expect_arrives(id, type, test::counted(500));
  }
  EXPECT_EQ(pair_.client().statistics().messages_sent, 6U);
  EXPECT_EQ(pair_.client().statistics().message_bytes_sent, 1002U);
  EXPECT_EQ(pair_.server().statistics().messages_received, 6U);
}

TEST_F(AssociationTest, MessagesMayBeSentBeforeTheAnswer) {
  const auto id = pair_.client().open({.ordered = false}, pair_.now()).value();
  for (std::size_t i = 0; i < 20; ++i) {
    ASSERT_TRUE(pair_.client().send(id, MessageType::binary, test::counted(i), pair_.now()));
  }
  ASSERT_TRUE(pair_.run_until([&] { return pair_.ends[1].messages.size() == 20; }));
  EXPECT_EQ(pair_.ends[1].opened.size(), 1U);
  for (std::size_t i = 0; i < 20; ++i) EXPECT_EQ(pair_.ends[1].messages[i].data.size(), i);
}

TEST_F(AssociationTest, UnorderedMessagesOvertake) {
  ASSERT_TRUE(pair_.establish());
  for (const bool ordered : {false, true}) {
    const auto id = open({.ordered = ordered});
    pair_.ends[1].messages.clear();
    bool is_first = true;
    pair_.drop = [&](std::size_t sender, dtls::Bytes /*packet*/) {
      return sender == 0 && std::exchange(is_first, false);
    };
    for (const std::size_t size : {1U, 2U}) {
      ASSERT_TRUE(pair_.client().send(id, MessageType::text, test::counted(size), pair_.now()));
      pair_.run_for(1ms);
    }
    ASSERT_TRUE(pair_.run_until([&] { return pair_.ends[1].messages.size() == 2; }));
    EXPECT_EQ(pair_.ends[1].messages[0].data.size(), ordered ? 1U : 2U);
    pair_.drop = nullptr;
  }
}

TEST_F(AssociationTest, NegotiatedChannelsNeedNoMessage) {
  ASSERT_TRUE(pair_.establish());
  ASSERT_TRUE(pair_.client().open_negotiated(ChannelId{7}, {}, pair_.now()));
  ASSERT_TRUE(pair_.server().open_negotiated(ChannelId{7}, {}, pair_.now()));
  expect_arrives(ChannelId{7}, MessageType::text, test::buffer_of("x"));
  EXPECT_TRUE(pair_.ends[1].opened.empty());
  EXPECT_EQ(pair_.client().open_negotiated(ChannelId{7}, {}, pair_.now()).error().code,
            Errc::channel_in_use);
  EXPECT_EQ(pair_.client().open_negotiated(ChannelId{256}, {}, pair_.now()).error().code,
            Errc::invalid_options);
}

TEST(Association, LargeMessagesInSmallPackets) {
  ChannelPair pair({}, 1, {.peer_max_message_size = 0}, {});
  const auto id = pair.client().open({}, pair.now()).value();
  for (const std::size_t size : {1200U, 65536U, 262144U}) {
    ASSERT_TRUE(pair.client().send(id, MessageType::binary, test::counted(size), pair.now()));
  }
  ASSERT_TRUE(pair.run_until([&] { return pair.ends[1].messages.size() == 3; }));
  EXPECT_EQ(pair.ends[1].messages[2].data, test::counted(262144));
  EXPECT_LE(pair.ends[0].largest_packet, Options{}.mtu);
  EXPECT_EQ(
      pair.client().send(id, MessageType::binary, test::counted(262145), pair.now()).error().code,
      Errc::message_too_large);
}

// The handshake fits, too, without the INITs that cross.
TEST(Association, SmallestPackets) {
  ChannelPair pair({}, 1, {.mtu = 576}, {.mtu = 576});
  bool is_first = true;
  pair.drop = [&](std::size_t sender, dtls::Bytes /*packet*/) {
    return sender == 1 && std::exchange(is_first, false);
  };
  const auto id = pair.client().open({}, pair.now()).value();
  ASSERT_TRUE(pair.client().send(id, MessageType::binary, test::counted(10'000), pair.now()));
  ASSERT_TRUE(pair.run_until([&] { return !pair.ends[1].messages.empty(); }));
  for (const auto& end : pair.ends) {
    EXPECT_LE(end.largest_packet, 576U);
    EXPECT_EQ(end.association->statistics().count(Drop::packet_too_large), 0U);
  }
}

// RFC 8841 section 6: no message to a peer is larger than the peer's limit.
TEST(Association, PeersLimitHolds) {
  ChannelPair pair({}, 1, {.peer_max_message_size = 1000}, {});
  const auto id = pair.client().open({}, pair.now()).value();
  EXPECT_TRUE(pair.client().send(id, MessageType::binary, test::counted(1000), pair.now()));
  EXPECT_EQ(
      pair.client().send(id, MessageType::binary, test::counted(1001), pair.now()).error().code,
      Errc::message_too_large);
}

TEST(Association, OversizedMessageIsSkippedWhole) {
  ChannelPair pair({}, 1, {}, {.max_message_size = 20000});
  const auto id = pair.client().open({}, pair.now()).value();
  ASSERT_TRUE(pair.client().send(id, MessageType::binary, test::counted(20001), pair.now()));
  ASSERT_TRUE(pair.client().send(id, MessageType::binary, test::counted(20000), pair.now()));
  ASSERT_TRUE(pair.run_until([&] { return !pair.ends[1].messages.empty(); }));
  EXPECT_EQ(pair.ends[1].messages[0].data.size(), 20000U);
  EXPECT_EQ(pair.server().statistics().count(Drop::message_too_large), 1U);
}

TEST(Association, BufferedAmountIsBoundedAndTold) {
  ChannelPair pair({}, 1, {.send_buffer = 65536, .max_buffered = 100'000});
  const auto id = pair.client().open({}, pair.now()).value();
  ASSERT_TRUE(pair.establish());
  pair.client().set_buffered_amount_low_threshold(id, 30'000);
  std::size_t sent = 0;
  while (pair.client().send(id, MessageType::binary, test::counted(10'000), pair.now())) ++sent;
  EXPECT_EQ(pair.client().buffered_amount(id), 100'000U);
  EXPECT_GE(sent, 15U);  // 65 kB more are in SCTP's buffer
  EXPECT_LE(sent, 17U);
  EXPECT_EQ(
      pair.client().send(id, MessageType::binary, test::counted(10'000), pair.now()).error().code,
      Errc::queue_full);
  ASSERT_TRUE(pair.run_until([&] { return !pair.ends[0].low.empty(); }));
  EXPECT_LE(pair.client().buffered_amount(id), 30'000U);
  ASSERT_TRUE(pair.run_until([&] { return pair.ends[1].messages.size() == sent; }));
  EXPECT_THAT(pair.ends[0].low, ElementsAre(id));  // once
  EXPECT_EQ(pair.client().buffered_amount(id), 0U);
}

TEST(Association, ChannelsTakeTurns) {
  ChannelPair pair({}, 1, {.send_buffer = 65536});
  const auto first = pair.client().open({}, pair.now()).value();
  const auto second = pair.client().open({}, pair.now()).value();
  ASSERT_TRUE(pair.establish());
  for (int i = 0; i < 40; ++i) {
    ASSERT_TRUE(pair.client().send(first, MessageType::binary, test::counted(10'000), pair.now()));
  }
  ASSERT_TRUE(pair.client().send(second, MessageType::binary, test::counted(10), pair.now()));
  const auto& messages = pair.ends[1].messages;
  ASSERT_TRUE(pair.run_until([&] { return messages.size() == 41; }));
  const auto place = std::ranges::find(messages, second, &ChannelEnd::Message::id);
  EXPECT_LT(place - messages.begin(), 20);
}

// A peer that sends while nothing is polled: the receive window stops it.
TEST(Association, EndThatDoesNotReadStopsThePeer) {
  ChannelPair pair({}, 1, {.max_buffered = 65536});
  const auto id = pair.client().open({}, pair.now()).value();
  ASSERT_TRUE(pair.run_until([&] { return !pair.ends[1].opened.empty(); }));
  pair.ends[1].reads = false;
  std::size_t sent = 0;
  for (int round = 0; round < 200; ++round) {
    while (pair.client().send(id, MessageType::binary, test::counted(30'000), pair.now())) ++sent;
    pair.run_for(20ms);
  }
  // Both sides have a socket buffer of 256 kB, and the queue holds 64 kB.
  EXPECT_LT(sent * 30'000, 3U * 262'144 + 65'536);
  EXPECT_GT(sent, 8U);
  pair.ends[1].reads = true;
  EXPECT_TRUE(pair.run_until([&] { return pair.ends[1].messages.size() == sent; }));
}

TEST(Association, OptionsAreChecked) {
  const auto fault = [](const Options& options) {
    const auto made = Association::make(options, {});
    return made ? std::string_view{} : made.error().detail;
  };
  EXPECT_EQ(fault({.local_port = 0}), "local_port");
  EXPECT_EQ(fault({.remote_port = 0}), "remote_port");
  EXPECT_EQ(fault({.mtu = 575}), "mtu");
  EXPECT_EQ(fault({.mtu = 16385}), "mtu");
  EXPECT_EQ(fault({.max_message_size = 0}), "max_message_size");
  EXPECT_EQ(fault({.max_channels = 1}), "max_channels");
  EXPECT_EQ(fault({.send_buffer = 1000}), "send_buffer");
  EXPECT_EQ(fault({.receive_buffer = 1U << 30}), "receive_buffer");
  EXPECT_EQ(fault({}), "");
}

TEST(Association, ExtremeOptionsWork) {
  for (const Options& options :
       {Options{.local_port = 65535, .remote_port = 65535}, Options{.mtu = 576},
        Options{.mtu = 16384}, Options{.max_message_size = 1},
        Options{.max_message_size = 16U << 20}, Options{.max_channels = 2},
        Options{.max_channels = 65535}, Options{.send_buffer = 65536},
        Options{.send_buffer = 16U << 20}, Options{.receive_buffer = 65536},
        Options{.receive_buffer = 16U << 20}}) {
    SCOPED_TRACE(testing::Message() << options.local_port << ' ' << options.mtu << ' '
                                    << options.max_message_size << ' ' << options.max_channels
                                    << ' ' << options.send_buffer << ' ' << options.receive_buffer);
    ChannelPair pair({}, 1, options, options);
    const auto id = pair.client().open({}, pair.now()).value();
    ASSERT_TRUE(pair.client().send(id, MessageType::text, test::counted(1), pair.now()));
    EXPECT_TRUE(pair.run_until([&] { return pair.ends[1].messages.size() == 1; }));
    EXPECT_LE(pair.ends[0].largest_packet, options.mtu);
  }
}

// A message larger than max_buffered waits alone, or nothing would ever tell when to send it.
TEST(Association, LargeMessageWaitsAlone) {
  ChannelPair pair({}, 1, {.send_buffer = 65536, .max_buffered = 10'000}, {});
  ASSERT_TRUE(pair.establish());
  const auto id = pair.client().open({}, pair.now()).value();
  const auto send = [&](std::size_t size) {
    return pair.client().send(id, MessageType::binary, test::counted(size), pair.now());
  };
  ASSERT_TRUE(send(40'000));
  ASSERT_TRUE(send(40'000));
  EXPECT_EQ(pair.client().buffered_amount(id), 40'000U);
  EXPECT_EQ(send(1).error().code, Errc::queue_full);
  ASSERT_TRUE(pair.run_until([&] { return !pair.ends[0].low.empty(); }));
  EXPECT_TRUE(send(1));
  EXPECT_TRUE(pair.run_until([&] { return pair.ends[1].messages.size() == 3; }));
}

// max_message_size is of messages, not of DATA_CHANNEL_OPEN.
TEST(Association, LongestNames) {
  ChannelPair pair({}, 1, {}, {.max_message_size = 1});
  const ChannelOptions options{.label = std::string(kMaxChannelName, 'x'),
                               .protocol = std::string(kMaxChannelName, 'y')};
  ASSERT_TRUE(pair.client().open(options, pair.now()));
  ASSERT_TRUE(pair.run_until([&] { return !pair.ends[0].acknowledged.empty(); }));
  EXPECT_EQ(pair.ends[1].opened.at(0).options.label, options.label);
  EXPECT_EQ(pair.ends[1].opened.at(0).options.protocol, options.protocol);
}

TEST(Association, LargestMessage) {
  constexpr std::size_t kLargest = std::size_t{16} << 20;
  const Options options{.mtu = 16384,
                        .max_message_size = kLargest,
                        .peer_max_message_size = 0,
                        .send_buffer = kLargest};
  ChannelPair pair({}, 1, options, options);
  ASSERT_TRUE(pair.establish());
  const auto id = pair.client().open({}, pair.now()).value();
  ASSERT_TRUE(pair.run_until([&] { return !pair.ends[0].acknowledged.empty(); }));
  const auto data = test::counted(kLargest);
  ASSERT_TRUE(pair.client().send(id, MessageType::binary, data, pair.now()));
  ASSERT_TRUE(pair.run_until([&] { return pair.ends[1].messages.size() == 1; }));
  EXPECT_TRUE(pair.ends[1].messages[0].data == data);
}

TEST_F(AssociationTest, CallsThatMakeNoSense) {
  auto& client = pair_.client();
  const auto code = [](const auto& result) { return result.error().code; };
  const ChannelOptions both{.max_retransmits = 1, .max_lifetime = 1ms};
  EXPECT_EQ(code(client.open(both, {})), Errc::invalid_options);
  EXPECT_EQ(code(client.open({.label = std::string(1025, 'x')}, {})), Errc::invalid_options);
  EXPECT_EQ(code(client.open({.max_lifetime = -1ms}, {})), Errc::invalid_options);
  EXPECT_EQ(code(client.send(ChannelId{4}, MessageType::text, {}, {})), Errc::unknown_channel);
  EXPECT_EQ(code(client.close_channel(ChannelId{4}, {})), Errc::unknown_channel);
  EXPECT_EQ(code(client.start({}, {})), Errc::wrong_state);
  EXPECT_EQ(client.buffered_amount(ChannelId{4}), 0U);
}

TEST(Association, IdsRunOut) {
  ChannelPair pair({}, 1, {.max_channels = 4});
  EXPECT_TRUE(pair.client().open({}, {}));
  EXPECT_TRUE(pair.client().open({}, {}));
  EXPECT_EQ(pair.client().open({}, {}).error().code, Errc::no_free_channel);
  // The peer has fewer streams than it hoped for.
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(pair.server().open({}, {}));
  ASSERT_TRUE(pair.run_until([&] { return pair.ends[1].acknowledged.size() == 2; }));
  EXPECT_THAT(pair.ends[1].closed_channels, ElementsAre(ChannelId{5}));
}

TEST_F(AssociationTest, StatisticsTellOfThePath) {
  ASSERT_TRUE(pair_.establish());
  const auto id = open();
  expect_arrives(id, MessageType::binary, test::counted(5000));
  pair_.run_for(2s);
  const auto statistics = pair_.client().statistics();
  ASSERT_TRUE(statistics.rtt);
  EXPECT_GE(*statistics.rtt, 40ms);
  EXPECT_LT(*statistics.rtt, 300ms);  // a SACK may be delayed
  EXPECT_GT(statistics.congestion_window, 1192U);
  EXPECT_GT(statistics.peer_window, 200'000U);
  EXPECT_EQ(statistics.packets_sent, pair_.ends[0].packets);
  EXPECT_EQ(statistics.channels_opened, 1U);
}

}  // namespace
}  // namespace sluice::data_channel
