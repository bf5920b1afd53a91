#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sluice/rtp/transport_feedback.h>

#include <initializer_list>

#include "support/allocations.h"
#include "support/listed.h"

namespace sluice::rtp {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::listed;
using testing::ElementsAre;

constexpr Instant kFirstArrival{milliseconds{640}};  // 10 reference units
const PacketStatus kMissing{};

SequenceNumber at(int value) { return SequenceNumber{static_cast<std::uint16_t>(value)}; }

class ArrivalRecorderTest : public testing::Test {
 protected:
  std::optional<TransportFeedback> poll(std::size_t max_packets = 100) {
    return recorder_.poll_feedback(Ssrc{1}, Ssrc{2}, max_packets);
  }
  ArrivalRecorder recorder_{100};
};

TEST_F(ArrivalRecorderTest, ReportsArrivalsAndGaps) {
  EXPECT_FALSE(poll());
  recorder_.on_packet(at(65535), kFirstArrival + milliseconds{1});
  recorder_.on_packet(at(1), kFirstArrival + milliseconds{3});
  const auto feedback = poll();
  ASSERT_TRUE(feedback);
  EXPECT_EQ(feedback->sender, Ssrc{1});
  EXPECT_EQ(feedback->media, Ssrc{2});
  EXPECT_EQ(feedback->base, at(65535));
  EXPECT_EQ(feedback->reference_time, 10);
  EXPECT_EQ(feedback->number, 0);
  EXPECT_THAT(listed(feedback->statuses), ElementsAre(PacketStatus{4}, kMissing, PacketStatus{8}));
  EXPECT_FALSE(poll());
}

TEST_F(ArrivalRecorderTest, GapBehindTheLastFeedbackIsReported) {
  recorder_.on_packet(at(1), kFirstArrival);
  (void)poll();
  recorder_.on_packet(at(4), kFirstArrival);
  const auto feedback = poll();
  ASSERT_TRUE(feedback);
  EXPECT_EQ(feedback->base, at(2));
  EXPECT_EQ(feedback->number, 1);
  EXPECT_THAT(listed(feedback->statuses), ElementsAre(kMissing, kMissing, PacketStatus{0}));
}

TEST_F(ArrivalRecorderTest, ReorderedPacketsGoBackInTime) {
  recorder_.on_packet(at(2), kFirstArrival);
  recorder_.on_packet(at(1), kFirstArrival + milliseconds{5});
  EXPECT_THAT(listed(poll()->statuses), ElementsAre(PacketStatus{20}, PacketStatus{-20}));
}

TEST_F(ArrivalRecorderTest, LatePacketIsReportedAgain) {
  recorder_.on_packet(at(1), kFirstArrival);
  recorder_.on_packet(at(3), kFirstArrival);
  (void)poll();
  EXPECT_TRUE(recorder_.on_packet(at(2), kFirstArrival + milliseconds{1}));
  const auto feedback = poll();
  ASSERT_TRUE(feedback);
  EXPECT_EQ(feedback->base, at(2));
  EXPECT_THAT(listed(feedback->statuses), ElementsAre(PacketStatus{4}, PacketStatus{-4}));
}

TEST_F(ArrivalRecorderTest, DuplicatesChangeNothing) {
  EXPECT_TRUE(recorder_.on_packet(at(1), kFirstArrival));
  EXPECT_FALSE(recorder_.on_packet(at(1), kFirstArrival + milliseconds{9}));
  EXPECT_THAT(listed(poll()->statuses), ElementsAre(PacketStatus{0}));
  EXPECT_FALSE(recorder_.on_packet(at(1), kFirstArrival));
  EXPECT_FALSE(poll());
}

TEST_F(ArrivalRecorderTest, ManyPacketsAreSplit) {
  for (int i = 0; i < 5; ++i) recorder_.on_packet(at(i), kFirstArrival);
  EXPECT_EQ(poll(2)->statuses.size(), 2U);
  EXPECT_EQ(poll(2)->base, at(2));
  EXPECT_EQ(poll(2)->statuses.size(), 1U);
  EXPECT_FALSE(poll(2));
}

TEST_F(ArrivalRecorderTest, PauseAbove8sStartsAnother) {
  recorder_.on_packet(at(1), kFirstArrival);
  recorder_.on_packet(at(2), kFirstArrival + seconds{9});
  EXPECT_EQ(poll()->statuses.size(), 1U);
  const auto second = poll();
  EXPECT_EQ(second->base, at(2));
  EXPECT_EQ(second->reference_time, 9640 / 64);
  EXPECT_FALSE(poll());
}

TEST_F(ArrivalRecorderTest, OldestMakeRoom) {
  for (int i = 0; i < 150; ++i) recorder_.on_packet(at(i), kFirstArrival);
  EXPECT_EQ(recorder_.displaced(), 50U);
  EXPECT_EQ(poll()->base, at(50));
  recorder_.on_packet(at(30000), kFirstArrival);  // a jump above the capacity
  EXPECT_EQ(recorder_.displaced(), 50U);          // all had been reported
  const auto feedback = poll();
  EXPECT_EQ(feedback->base, at(30000 - 99));
  EXPECT_FALSE(recorder_.on_packet(at(200), kFirstArrival));
}

TEST_F(ArrivalRecorderTest, ReferenceTimeWrapsAt24Bits) {
  recorder_.on_packet(at(1), Instant{kReferenceUnit * 0x1800000});
  EXPECT_EQ(poll()->reference_time, -0x800000);
}

TEST_F(ArrivalRecorderTest, NothingIsAllocatedPerPacket) {
  const auto before = test::allocations().count;
  for (int i = 0; i < 1000; ++i) {
    recorder_.on_packet(at(i * 3), kFirstArrival + milliseconds{i});
    if (i % 20 == 0) {
      while (poll(10)) continue;
    }
  }
  EXPECT_EQ(test::allocations().count, before);
}

}  // namespace
}  // namespace sluice::rtp
