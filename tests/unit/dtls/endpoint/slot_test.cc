#include "endpoint/slot.h"

#include <gtest/gtest.h>

namespace sluice::dtls::endpoint {
namespace {

using namespace std::chrono_literals;

TEST(SlotTimes, BecomeMinutesThatAreNotEarlier) {
  EXPECT_EQ(to_minutes(Instant{}), 0min);
  EXPECT_EQ(to_minutes(Instant{1us}), 1min);
  EXPECT_EQ(to_minutes(Instant{1min}), 1min);
  EXPECT_EQ(to_minutes(Instant{1min + 1us}), 2min);
  EXPECT_EQ(to_minutes(Instant{-1us}), 0min);
}

TEST(SlotTimes, BeyondTheirRangeAreItsEnd) {
  EXPECT_EQ(to_minutes(Instant::max()), Minutes::max());
  EXPECT_EQ(to_minutes(Instant::min()), Minutes::min());
}

TEST(SlotQueuedIn, TellsItsQueuesApart) {
  QueuedIn queued;
  EXPECT_FALSE(queued.holds(QueueOf::events) || queued.holds(QueueOf::transmits));
  queued.set(QueueOf::events);
  queued.set(QueueOf::transmits);
  queued.clear(QueueOf::events);
  EXPECT_FALSE(queued.holds(QueueOf::events));
  EXPECT_TRUE(queued.holds(QueueOf::transmits));
}

}  // namespace
}  // namespace sluice::dtls::endpoint
