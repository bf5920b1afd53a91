#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sluice/data_channel/association.h>

#include "support/bytes.h"
#include "support/channel_pair.h"

namespace sluice::data_channel {
namespace {

using namespace std::chrono_literals;
using test::ChannelPair;
using testing::ElementsAre;
using testing::IsEmpty;

class ClosingTest : public testing::Test {
 protected:
  void SetUp() override {
    id_ = pair_.client().open({}, pair_.now()).value();
    ASSERT_TRUE(pair_.run_until([&] { return !pair_.ends[0].acknowledged.empty(); }));
  }
  void expect_closed() {
    ASSERT_TRUE(pair_.run_until([&] {
      return !pair_.ends[0].closed_channels.empty() && !pair_.ends[1].closed_channels.empty();
    }));
    for (const auto& end : pair_.ends) EXPECT_THAT(end.closed_channels, ElementsAre(id_));
  }

  ChannelPair pair_;
  ChannelId id_{};
};

TEST_F(ClosingTest, EitherSideClosesBoth) {
  ASSERT_TRUE(pair_.client().close_channel(id_, pair_.now()));
  EXPECT_EQ(pair_.client().close_channel(id_, pair_.now()).error().code, Errc::channel_closing);
  EXPECT_EQ(pair_.client().send(id_, MessageType::text, {}, pair_.now()).error().code,
            Errc::channel_closing);
  expect_closed();
  EXPECT_EQ(pair_.client().close_channel(id_, pair_.now()).error().code, Errc::unknown_channel);
}

TEST_F(ClosingTest, SideThatDidNotOpenCloses) {
  ASSERT_TRUE(pair_.server().close_channel(id_, pair_.now()));
  expect_closed();
}

TEST_F(ClosingTest, BothAtOnce) {
  ASSERT_TRUE(pair_.client().close_channel(id_, pair_.now()));
  ASSERT_TRUE(pair_.server().close_channel(id_, pair_.now()));
  expect_closed();
}

// RFC 8831 section 6.7: what was sent before arrives.
TEST_F(ClosingTest, WaitingMessagesAreSentBefore) {
  for (int i = 0; i < 60; ++i) {
    ASSERT_TRUE(pair_.client().send(id_, MessageType::binary, test::counted(20'000), pair_.now()));
  }
  EXPECT_GT(pair_.client().buffered_amount(id_), 0U);
  ASSERT_TRUE(pair_.client().close_channel(id_, pair_.now()));
  expect_closed();
  EXPECT_EQ(pair_.ends[1].messages.size(), 60U);
}

TEST_F(ClosingTest, IdIsFreeAgain) {
  for (int round = 0; round < 5; ++round) {
    ASSERT_TRUE(pair_.client().close_channel(id_, pair_.now()));
    expect_closed();
    for (auto& end : pair_.ends) end.closed_channels.clear();
    pair_.ends[0].acknowledged.clear();
    EXPECT_EQ(pair_.client().open({}, pair_.now()).value(), id_);
    ASSERT_TRUE(pair_.run_until([&] { return !pair_.ends[0].acknowledged.empty(); }));
    ASSERT_TRUE(pair_.client().send(id_, MessageType::text, {}, pair_.now()));
    ASSERT_TRUE(
        pair_.run_until([&] { return pair_.ends[1].messages.size() > std::size_t(round); }));
  }
}

TEST_F(ClosingTest, OthersStayOpen) {
  const auto other = pair_.client().open({}, pair_.now()).value();
  ASSERT_TRUE(pair_.client().close_channel(id_, pair_.now()));
  expect_closed();
  ASSERT_TRUE(pair_.client().send(other, MessageType::text, {}, pair_.now()));
  EXPECT_TRUE(pair_.run_until([&] { return !pair_.ends[1].messages.empty(); }));
}

TEST_F(ClosingTest, ManyCloseInOneGo) {
  std::vector<ChannelId> ids = {id_};
  for (int i = 0; i < 100; ++i) ids.push_back(pair_.client().open({}, pair_.now()).value());
  ASSERT_TRUE(pair_.run_until([&] { return pair_.ends[0].acknowledged.size() == 101; }));
  for (const auto id : ids) ASSERT_TRUE(pair_.client().close_channel(id, pair_.now()));
  EXPECT_TRUE(pair_.run_until([&] {
    return pair_.ends[0].closed_channels.size() == 101 &&
           pair_.ends[1].closed_channels.size() == 101;
  }));
}

TEST_F(ClosingTest, AbortEndsTheAssociation) {
  pair_.client().close(pair_.now());
  EXPECT_TRUE(pair_.client().closed());
  ASSERT_TRUE(pair_.run_until([&] { return pair_.ends[1].closed.has_value(); }));
  EXPECT_EQ(pair_.ends[0].closed, CloseReason::local);
  EXPECT_EQ(pair_.ends[1].closed, CloseReason::peer);
  for (auto* association : {&pair_.client(), &pair_.server()}) {
    EXPECT_EQ(association->send(id_, MessageType::text, {}, pair_.now()).error().code,
              Errc::closed);
    EXPECT_EQ(association->open({}, pair_.now()).error().code, Errc::closed);
    EXPECT_FALSE(association->next_timeout());
    EXPECT_FALSE(association->poll_transmit());
    association->close(pair_.now());
    EXPECT_FALSE(association->poll_event());
  }
}

TEST_F(ClosingTest, SilentPeerIsGivenUp) {
  pair_.drop = [](std::size_t /*sender*/, dtls::Bytes /*packet*/) { return true; };
  ASSERT_TRUE(pair_.client().send(id_, MessageType::text, {}, pair_.now()));
  ASSERT_TRUE(pair_.run_until([&] { return pair_.ends[0].closed.has_value(); }, 600s));
  EXPECT_EQ(pair_.ends[0].closed, CloseReason::timeout);
  EXPECT_FALSE(pair_.ends[1].closed);
}

TEST(Closing, PeerThatNeverAnswers) {
  ChannelPair pair;
  pair.drop = [](std::size_t /*sender*/, dtls::Bytes /*packet*/) { return true; };
  ASSERT_TRUE(pair.run_until([&] { return pair.ends[0].closed.has_value(); }, 600s));
  EXPECT_EQ(pair.ends[0].closed, CloseReason::timeout);
  EXPECT_FALSE(pair.ends[0].established);
}

TEST(Closing, AssociationMayGoAtAnyTime) {
  ChannelPair pair;
  ASSERT_TRUE(pair.establish());
  const auto id = pair.client().open({}, pair.now()).value();
  ASSERT_TRUE(pair.client().send(id, MessageType::binary, test::counted(60'000), pair.now()));
  pair.run_for(30ms);
  pair.ends[0].association.reset();
  pair.run_for(60s);
  EXPECT_THAT(pair.ends[1].closed_channels, IsEmpty());
  pair.ends[1].association.reset();
}

}  // namespace
}  // namespace sluice::data_channel
