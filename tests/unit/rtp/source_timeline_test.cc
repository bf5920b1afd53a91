#include <sluice/rtp/source_timeline.h>

#include <gtest/gtest.h>

#include <limits>

namespace sluice::rtp {

static bool operator==(const SourceTimeline::Place& a, const SourceTimeline::Place& b) {
  return a.number == b.number && a.timestamp == b.timestamp;
}

namespace {

using namespace std::chrono_literals;

constexpr Ssrc kFirst{1};
constexpr Ssrc kSecond{2};
constexpr std::uint32_t kClockRate = 90'000;

SequenceNumber sequence(int number) { return SequenceNumber{static_cast<std::uint16_t>(number)}; }

class SourceTimelineTest : public testing::Test {
 protected:
  // The number that the packet gets; -1: none.
  int place(Ssrc source, int number, std::uint32_t timestamp = 0) {
    const auto placed = timeline_.place(source, sequence(number), Timestamp{timestamp}, now_);
    return placed ? rtp::number(placed->number) : -1;
  }

  Instant now_{10s};
  SourceTimeline timeline_{kClockRate};
};

TEST_F(SourceTimelineTest, KeepsTheFirstNumbersBelowTheHalf) {
  EXPECT_EQ(place(kFirst, 0x8005), 5);
  EXPECT_EQ(place(kFirst, 0x8006), 6);
  EXPECT_EQ(place(kFirst, 0x8009), 9);  // a loss stays a gap
  EXPECT_EQ(place(kFirst, 0x8008), 8);
}

TEST_F(SourceTimelineTest, WrapsAround) {
  place(kFirst, 0x7ff0);
  for (int number = 0x7ff1; number < 0x7ff0 + 200'000; ++number) {
    ASSERT_EQ(place(kFirst, number), number & 0xffff);
  }
}

TEST_F(SourceTimelineTest, AnotherSourceGoesOnWithoutAGap) {
  place(kFirst, 100, 5000);
  place(kFirst, 102, 8000);
  now_ += 100ms;
  const auto placed = timeline_.place(kSecond, sequence(40'000), Timestamp{77}, now_);
  EXPECT_EQ(placed, (SourceTimeline::Place{sequence(103), Timestamp{8000 + kClockRate / 10}}));
  const auto next = timeline_.place(kSecond, sequence(40'001), Timestamp{77 + 3000}, now_);
  EXPECT_EQ(next, (SourceTimeline::Place{sequence(104), Timestamp{8000 + kClockRate / 10 + 3000}}));
  EXPECT_EQ(timeline_.timestamp_of(Timestamp{77}), Timestamp{8000 + kClockRate / 10});
}

TEST_F(SourceTimelineTest, TimestampsAlwaysAdvanceFromSourceToSource) {
  place(kFirst, 1, 0xffff'ffff);
  const auto placed = timeline_.place(kSecond, sequence(1), Timestamp{500}, now_);
  EXPECT_EQ(placed, (SourceTimeline::Place{sequence(2), Timestamp{0}}));
}

TEST_F(SourceTimelineTest, TheTimeThatPassesCountsFromTheFirstPacketOfAFrame) {
  place(kFirst, 1, 1000);
  now_ += 10ms;
  place(kFirst, 2, 1000);
  now_ += 10ms;
  const auto placed = timeline_.place(kSecond, sequence(1), Timestamp{}, now_);
  EXPECT_EQ(placed->timestamp, Timestamp{1000 + kClockRate / 50});
}

TEST_F(SourceTimelineTest, PacketsFromBeforeTheSourceTookOverAreLate) {
  place(kFirst, 100);
  EXPECT_EQ(place(kSecond, 50), 101);
  EXPECT_EQ(place(kSecond, 49), -1);
  EXPECT_EQ(place(kSecond, 51), 102);
}

TEST_F(SourceTimelineTest, ASourceThatReturnsIsAnotherOneAgain) {
  place(kFirst, 100);
  place(kSecond, 50);
  EXPECT_EQ(place(kFirst, 101), 102);
}

TEST_F(SourceTimelineTest, SkippedPacketsLeaveNoGap) {
  place(kFirst, 10);
  timeline_.skip(kFirst, sequence(11));
  timeline_.skip(kFirst, sequence(12));
  EXPECT_EQ(place(kFirst, 13), 11);
  timeline_.skip(kFirst, sequence(14));
  EXPECT_EQ(place(kFirst, 15), 12);
  EXPECT_EQ(place(kFirst, 14), -1);
  EXPECT_EQ(place(kFirst, 11), -1);
}

TEST_F(SourceTimelineTest, PacketsThatASkipHasOvertakenKeepTheirPlace) {
  place(kFirst, 10);
  timeline_.skip(kFirst, sequence(13));
  EXPECT_EQ(place(kFirst, 14), 13);
  EXPECT_EQ(place(kFirst, 12), 12);
  EXPECT_EQ(place(kFirst, 11), 11);
}

TEST_F(SourceTimelineTest, ASkipOfAnOlderPacketChangesNothing) {
  place(kFirst, 10);
  place(kFirst, 12);
  timeline_.skip(kFirst, sequence(11));
  timeline_.skip(kFirst, sequence(12));
  timeline_.skip(kSecond, sequence(13));
  EXPECT_EQ(place(kFirst, 13), 13);
}

TEST_F(SourceTimelineTest, ANewSourceFollowsAPacketThatASkipHasOvertaken) {
  place(kFirst, 10);
  timeline_.skip(kFirst, sequence(12));
  EXPECT_EQ(place(kFirst, 11), 11);
  EXPECT_EQ(place(kSecond, 500), 12);
}

TEST_F(SourceTimelineTest, MoreSkipsThanAreKeptMakeOlderPacketsLate) {
  place(kFirst, 1);
  for (int i = 0; i < static_cast<int>(SourceTimeline::kMaxSegments); ++i) {
    timeline_.skip(kFirst, sequence(3 + 2 * i));
    place(kFirst, 4 + 2 * i);
  }
  EXPECT_EQ(place(kFirst, 0), -1);
  EXPECT_EQ(place(kFirst, 2), -1);
  timeline_.skip(kFirst, sequence(35));
  EXPECT_EQ(place(kFirst, 37), 37 - 17);
  EXPECT_EQ(place(kFirst, 36), 36 - 17);
}

TEST_F(SourceTimelineTest, ASourceThatHasEndedIsAnotherOneAfterwards) {
  timeline_.end_source();  // there is none
  EXPECT_EQ(place(kFirst, 30'000, 1000), 30'000);
  now_ += 100ms;
  timeline_.end_source();
  EXPECT_FALSE(timeline_.timestamp_of(Timestamp{1000}));
  timeline_.skip(kFirst, sequence(30'001));
  const auto placed = timeline_.place(kFirst, sequence(5), Timestamp{77}, now_);
  EXPECT_EQ(placed, (SourceTimeline::Place{sequence(30'001), Timestamp{1000 + kClockRate / 10}}));
  EXPECT_EQ(place(kFirst, 6), 30'002);
  EXPECT_EQ(place(kFirst, 4), -1);
  EXPECT_EQ(timeline_.timestamp_of(Timestamp{77}), Timestamp{1000 + kClockRate / 10});
}

TEST_F(SourceTimelineTest, HasNoTimestampBeforeTheFirstPacket) {
  timeline_.skip(kFirst, sequence(1));
  EXPECT_FALSE(timeline_.timestamp_of(Timestamp{1}));
}

// ---- a timeline that moves

TEST_F(SourceTimelineTest, GoesOnFromItsState) {
  place(kFirst, 100, 5000);
  for (const int number : {101, 104, 107}) timeline_.skip(kFirst, sequence(number));
  place(kFirst, 108, 9000);
  constexpr Instant kOther{1h};
  SourceTimeline moved(kClockRate, timeline_.state(now_ + 40ms), kOther);
  // Among them late ones, from between the skips.
  for (const int number : {102, 103, 105, 106, 109, 101, 107, 99}) {
    const auto expected = timeline_.place(kFirst, sequence(number), Timestamp{9500}, now_);
    EXPECT_EQ(moved.place(kFirst, sequence(number), Timestamp{9500}, kOther), expected) << number;
  }
  EXPECT_EQ(moved.timestamp_of(Timestamp{1}), timeline_.timestamp_of(Timestamp{1}));
}

TEST_F(SourceTimelineTest, TimePassesOverAMove) {
  place(kFirst, 100, 5000);
  constexpr Instant kOther{1h};
  SourceTimeline moved(kClockRate, timeline_.state(now_ + 40ms), kOther);
  const auto placed = moved.place(kSecond, sequence(7), Timestamp{}, kOther + 60ms);
  EXPECT_EQ(placed, (SourceTimeline::Place{sequence(101), Timestamp{5000 + kClockRate / 10}}));
}

TEST_F(SourceTimelineTest, MovesBetweenTwoSources) {
  place(kFirst, 100, 5000);
  timeline_.end_source();
  SourceTimeline moved(kClockRate, timeline_.state(now_), now_);
  EXPECT_EQ(moved.timestamp_of(Timestamp{}), std::nullopt);
  EXPECT_EQ(moved.place(kFirst, sequence(40'000), Timestamp{}, now_)->number, sequence(101));
}

TEST_F(SourceTimelineTest, MovesBeforeTheFirstPacket) {
  SourceTimeline moved(kClockRate, timeline_.state(now_), now_);
  EXPECT_EQ(moved.timestamp_of(Timestamp{}), std::nullopt);
  EXPECT_EQ(moved.place(kFirst, sequence(0x8005), Timestamp{}, now_)->number, sequence(5));
}

TEST_F(SourceTimelineTest, MovesWithAsManySkipsAsItKeeps) {
  place(kFirst, 0);
  for (int number = 1; number < 100; number += 2) {
    timeline_.skip(kFirst, sequence(number));
    place(kFirst, number + 1);
  }
  const auto state = timeline_.state(now_);
  EXPECT_EQ(state.segments.size(), SourceTimeline::kMaxSegments);
  SourceTimeline moved(kClockRate, state, now_);
  moved.skip(kFirst, sequence(101));
  timeline_.skip(kFirst, sequence(101));
  for (int number = 0; number < 110; ++number) {
    EXPECT_EQ(moved.place(kFirst, sequence(number), {}, now_),
              timeline_.place(kFirst, sequence(number), {}, now_))
        << number;
  }
}

TEST_F(SourceTimelineTest, TakesAnyState) {
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  constexpr auto kLeast = std::numeric_limits<std::int64_t>::min();
  for (const std::int64_t number : {kMost, kLeast, std::int64_t{0}}) {
    for (const auto since : {Duration::max(), Duration::min()}) {
      for (const std::size_t segments : {0U, 1U, 40U}) {
        SourceTimelineState state{.source = kFirst, .highest = number, .since_newest = since};
        state.segments.resize(segments, {.first = number, .last = -(number / 2), .offset = 0xffff});
        SourceTimeline moved(kClockRate, state, now_);
        moved.skip(kFirst, sequence(1));
        static_cast<void>(moved.place(kFirst, sequence(2), {}, now_));
        EXPECT_TRUE(moved.place(kSecond, sequence(2), {}, now_));
      }
    }
  }
}

TEST_F(SourceTimelineTest, GoesOnFromAStateWithoutSegments) {
  SourceTimeline moved(kClockRate,
                       {.source = kFirst, .highest = 70'000, .highest_placed = sequence(50)}, now_);
  EXPECT_EQ(moved.place(kFirst, sequence(70'001), {}, now_)->number, sequence(51));
}

}  // namespace
}  // namespace sluice::rtp
