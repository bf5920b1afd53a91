// TimerQueue against a sorted set. A failure prints its seed.
#include "table/timer_queue.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

namespace sluice::dtls::table {
namespace {

constexpr int kTimerRuns = 60;
constexpr int kTimerSteps = 3000;
constexpr SlotNumber kSlots = 300;

class TimerModel {
 public:
  explicit TimerModel(std::uint64_t seed) : random_(seed) {}

  void step() {
    const auto slot = static_cast<SlotNumber>(random_() % kSlots);
    std::optional<Instant> when;
    // Few different times, so that many are the same.
    if (random_() % 3 != 0) when = Instant(Duration(random_() % 100));
    if (random_() % 8 == 0 && !times_.empty()) return fire();
    queue_.set(slot, when);
    forget(slot);
    if (when) {
      times_.emplace(slot, *when);
      order_.emplace(*when, slot);
    }
    check();
  }

  void fire_all() {
    while (!times_.empty()) fire();
    EXPECT_EQ(queue_.first(), kNoSlot);
  }

 private:
  void fire() {
    const SlotNumber first = queue_.first();
    ASSERT_TRUE(times_.contains(first));
    ASSERT_EQ(times_.at(first), *queue_.next());
    queue_.set(first, std::nullopt);
    forget(first);
    check();
  }
  void forget(SlotNumber slot) {
    const auto found = times_.find(slot);
    if (found == times_.end()) return;
    order_.erase({found->second, slot});
    times_.erase(found);
  }
  void check() {
    ASSERT_EQ(queue_.size(), order_.size());
    ASSERT_EQ(queue_.next(), order_.empty() ? std::nullopt : std::optional(order_.begin()->first));
  }

  std::mt19937_64 random_;
  TimerQueue queue_;
  std::map<SlotNumber, Instant> times_;
  std::set<std::pair<Instant, SlotNumber>> order_;
};

TEST(TimerQueue, DoesAsASortedSetDoes) {
  for (std::uint64_t seed = 0; seed < kTimerRuns; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    TimerModel model(seed);
    for (int i = 0; i < kTimerSteps; ++i) model.step();
    model.fire_all();
    if (HasFailure()) return;
  }
}

TEST(TimerQueue, StopsWhatNeverRan) {
  TimerQueue queue;
  queue.set(1000, std::nullopt);
  EXPECT_EQ(queue.next(), std::nullopt);
  queue.set(3, Instant::min());
  queue.set(2, std::nullopt);
  EXPECT_EQ(queue.first(), 3U);
}

}  // namespace
}  // namespace sluice::dtls::table
