// The queues of slots with outputs.
#include "endpoint/slot_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <random>

namespace sluice::dtls::endpoint {
namespace {

constexpr SlotNumber kQueuedSlots = 100;

class SlotQueues : public testing::Test {
 protected:
  SlotQueues() {
    for (SlotNumber i = 0; i < kQueuedSlots; ++i) slots_.take();
  }
  // Empties the queue.
  std::vector<SlotNumber> all() {
    std::vector<SlotNumber> numbers;
    while (!queue_.empty()) {
      numbers.push_back(queue_.first());
      queue_.erase(slots_, numbers.back());
    }
    return numbers;
  }

  SlotTable slots_;
  SlotQueue<QueueOf::events> queue_;
};

TEST_F(SlotQueues, SlotsLeaveInTheOrderInWhichTheyCame) {
  std::vector<SlotNumber> order;
  for (SlotNumber i = kQueuedSlots; i > 0; --i) {
    queue_.push(slots_, i - 1);
    queue_.push(slots_, i - 1);  // once is enough
    order.push_back(i - 1);
  }
  EXPECT_EQ(all(), order);
}

TEST_F(SlotQueues, ASlotIsInEachQueueByItself) {
  SlotQueue<QueueOf::transmits> other;
  queue_.push(slots_, 1);
  EXPECT_FALSE(decltype(other)::holds(slots_[1]));
  other.push(slots_, 1);
  queue_.erase(slots_, 1);
  EXPECT_TRUE(queue_.empty());
  EXPECT_EQ(other.first(), 1U);
}

TEST_F(SlotQueues, AnErasedSlotIsPassedOver) {
  for (const SlotNumber number : {1U, 2U, 3U, 4U}) queue_.push(slots_, number);
  queue_.erase(slots_, 2);
  queue_.erase(slots_, 4);
  queue_.erase(slots_, 4);
  EXPECT_EQ(all(), (std::vector<SlotNumber>{1, 3}));
}

TEST_F(SlotQueues, ASlotThatComesAgainIsHeldOnce) {
  for (const SlotNumber number : {1U, 2U}) queue_.push(slots_, number);
  for (int i = 0; i < 1000; ++i) {
    queue_.erase(slots_, 2);
    queue_.push(slots_, 2);
  }
  EXPECT_EQ(all(), (std::vector<SlotNumber>{1, 2}));
}

TEST_F(SlotQueues, HoldWhatAListHolds) {
  constexpr unsigned kSeed = 20261129;
  SCOPED_TRACE(kSeed);
  std::mt19937 random(kSeed);
  std::deque<SlotNumber> model;
  for (int i = 0; i < 100'000; ++i) {
    const auto number = static_cast<SlotNumber>(random() % kQueuedSlots);
    const auto found = std::ranges::find(model, number);
    if (random() % 2 == 0) {
      if (found == model.end()) model.push_back(number);
      queue_.push(slots_, number);
    } else {
      if (found != model.end()) model.erase(found);
      queue_.erase(slots_, number);
    }
    ASSERT_EQ(queue_.empty(), model.empty()) << i;
    if (!model.empty()) {
      ASSERT_TRUE(std::ranges::find(model, queue_.first()) != model.end()) << i;
    }
  }
  auto left = all();
  std::ranges::sort(left);
  std::ranges::sort(model);
  EXPECT_TRUE(std::ranges::equal(left, model));
}

}  // namespace
}  // namespace sluice::dtls::endpoint
