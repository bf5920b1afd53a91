// Lossy links in virtual time; a failure prints its seed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sluice/data_channel/association.h>

#include <set>

#include "support/bytes.h"
#include "support/channel_pair.h"

namespace sluice::data_channel {
namespace {

using namespace std::chrono_literals;
using test::ChannelPair;
using test::LinkConditions;

constexpr LinkConditions kBad{.loss = 0.1, .duplicate = 0.05, .delay = 20ms, .jitter = 30ms};

dtls::Buffer numbered(std::size_t number, std::size_t size) {
  auto data = test::counted(size);
  data[0] = std::byte(number & 0xff);
  return data;
}

class LossyLink : public testing::TestWithParam<std::uint64_t> {
 protected:
  ChannelPair pair_{kBad, GetParam()};
};

TEST_P(LossyLink, ReliableMessagesArriveInOrder) {
  const auto id = pair_.client().open({.label = "a"}, pair_.now()).value();
  const auto back = pair_.server().open({.label = "b"}, pair_.now()).value();
  for (std::size_t i = 0; i < 60; ++i) {
    ASSERT_TRUE(pair_.client().send(id, MessageType::binary, numbered(i, 1 + 40 * i), pair_.now()));
    ASSERT_TRUE(pair_.server().send(back, MessageType::text, numbered(i, 10), pair_.now()));
  }
  ASSERT_TRUE(pair_.run_until(
      [&] { return pair_.ends[0].messages.size() == 60 && pair_.ends[1].messages.size() == 60; },
      600s));
  for (std::size_t i = 0; i < 60; ++i) {
    EXPECT_EQ(pair_.ends[1].messages[i].data, numbered(i, 1 + 40 * i));
    EXPECT_EQ(pair_.ends[0].messages[i].data, numbered(i, 10));
  }
  ASSERT_TRUE(pair_.client().close_channel(id, pair_.now()));
  ASSERT_TRUE(pair_.server().close_channel(back, pair_.now()));
  EXPECT_TRUE(pair_.run_until(
      [&] {
        return pair_.ends[0].closed_channels.size() == 2 &&
               pair_.ends[1].closed_channels.size() == 2;
      },
      600s));
}

TEST_P(LossyLink, UnorderedMessagesAllArriveOnce) {
  const auto id = pair_.client().open({.ordered = false}, pair_.now()).value();
  ASSERT_TRUE(pair_.run_until([&] { return !pair_.ends[0].acknowledged.empty(); }, 600s));
  for (std::size_t i = 0; i < 100; ++i) {
    ASSERT_TRUE(pair_.client().send(id, MessageType::binary, numbered(i, 500), pair_.now()));
  }
  ASSERT_TRUE(pair_.run_until([&] { return pair_.ends[1].messages.size() == 100; }, 600s));
  pair_.run_for(10s);
  std::set<dtls::Buffer> different;
  for (const auto& message : pair_.ends[1].messages) different.insert(message.data);
  EXPECT_EQ(pair_.ends[1].messages.size(), 100U);
  EXPECT_EQ(different.size(), 100U);
}

TEST_P(LossyLink, WithoutRetransmissionsSomeAreLost) {
  const auto id = pair_.client().open({.max_retransmits = 0}, pair_.now()).value();
  ASSERT_TRUE(pair_.run_until([&] { return !pair_.ends[0].acknowledged.empty(); }, 600s));
  for (std::size_t i = 0; i < 200; ++i) {
    ASSERT_TRUE(pair_.client().send(id, MessageType::binary, numbered(i, 1000), pair_.now()));
    pair_.run_for(10ms);
  }
  pair_.run_for(60s);
  const auto& messages = pair_.ends[1].messages;
  EXPECT_LT(messages.size(), 200U);
  EXPECT_GT(messages.size(), 120U);
  // Ordered: what arrives is in order. Numbers are below 256.
  for (std::size_t i = 1; i < messages.size(); ++i) {
    EXPECT_LT(messages[i - 1].data[0], messages[i].data[0]);
  }
  // What comes later, on another channel, is not held up.
  const auto reliable = pair_.client().open({}, pair_.now()).value();
  ASSERT_TRUE(pair_.client().send(reliable, MessageType::text, {}, pair_.now()));
  EXPECT_TRUE(pair_.run_until([&] { return pair_.ends[1].messages.back().id == reliable; }, 600s));
}

// The window is full most of the time, and has gaps: nobody is taken for one who ignores it.
TEST_P(LossyLink, SlowReader) {
  ChannelPair pair(kBad, GetParam(), {.send_buffer = 1U << 20, .max_buffered = 4U << 20},
                   {.receive_buffer = 65536});
  const auto id = pair.client().open({.ordered = GetParam() % 2 == 0}, pair.now()).value();
  constexpr std::size_t kMessages = 100;
  for (std::size_t i = 0; i < kMessages; ++i) {
    ASSERT_TRUE(pair.client().send(id, MessageType::binary, numbered(i, 1 + 300 * i), pair.now()));
  }
  const auto arrived = [&] { return pair.ends[1].messages.size() == kMessages; };
  for (int round = 0; round < 1000 && !arrived(); ++round) {
    pair.ends[1].reads = !pair.ends[1].reads;
    pair.run_until(arrived, 1s);
  }
  EXPECT_TRUE(arrived());
  EXPECT_LT(pair.now() - dtls::Instant{}, 300s);
  EXPECT_LE(pair.server().statistics().count(Drop::window_exceeded), 5U);
}

INSTANTIATE_TEST_SUITE_P(Seeds, LossyLink, testing::Range<std::uint64_t>(1, 21));

TEST(Lifetime, MessagesExpireWhileThePathIsBroken) {
  ChannelPair pair;
  const auto id = pair.client().open({.max_lifetime = 500ms}, pair.now()).value();
  ASSERT_TRUE(pair.run_until([&] { return !pair.ends[0].acknowledged.empty(); }));
  bool broken = true;
  pair.drop = [&](std::size_t /*sender*/, dtls::Bytes /*packet*/) { return broken; };
  for (std::size_t i = 0; i < 5; ++i) {
    ASSERT_TRUE(pair.client().send(id, MessageType::binary, numbered(i, 100), pair.now()));
  }
  pair.run_for(3s);
  broken = false;
  ASSERT_TRUE(pair.client().send(id, MessageType::binary, numbered(9, 100), pair.now()));
  ASSERT_TRUE(pair.run_until([&] { return !pair.ends[1].messages.empty(); }));
  pair.run_for(20s);
  ASSERT_EQ(pair.ends[1].messages.size(), 1U);
  EXPECT_EQ(pair.ends[1].messages[0].data, numbered(9, 100));
}

TEST(Lifetime, MessagesExpireInTheQueue) {
  ChannelPair pair({}, 1, {.send_buffer = 65536});
  const auto fast = pair.client().open({}, pair.now()).value();
  const auto mortal = pair.client().open({.max_lifetime = 100ms}, pair.now()).value();
  ASSERT_TRUE(pair.run_until([&] { return pair.ends[0].acknowledged.size() == 2; }));
  bool broken = true;
  pair.drop = [&](std::size_t /*sender*/, dtls::Bytes /*packet*/) { return broken; };
  // SCTP's buffer is full.
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(pair.client().send(fast, MessageType::binary, test::counted(10'000), pair.now()));
  }
  ASSERT_TRUE(pair.client().send(mortal, MessageType::binary, test::counted(1), pair.now()));
  EXPECT_EQ(pair.client().buffered_amount(mortal), 1U);
  pair.run_for(1s);
  broken = false;
  ASSERT_TRUE(pair.run_until([&] { return pair.ends[1].messages.size() == 10; }));
  pair.run_for(5s);
  EXPECT_EQ(pair.ends[1].messages.size(), 10U);
  EXPECT_EQ(pair.client().statistics().count(Drop::expired), 1U);
}

}  // namespace
}  // namespace sluice::data_channel
