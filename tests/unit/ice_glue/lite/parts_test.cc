// The parts of an IceLiteServer by themselves.
#include <gtest/gtest.h>

#include <deque>
#include <random>

#include "crypto/library.h"
#include "nomination.h"
#include "queue.h"
#include "recent_checks.h"
#include "response_budget.h"
#include "support/endpoints.h"
#include "support/ice_world.h"
#include "tuple_table.h"

namespace sluice::ice_lite {
namespace {

using namespace std::chrono_literals;

stun::TransactionId transaction(std::uint8_t number) {
  stun::TransactionId made{};
  made.back() = std::byte{number};
  return made;
}

TEST(RecentChecks, AreTheLastOnes) {
  RecentChecks recent;
  EXPECT_FALSE(recent.contain(transaction(0)));
  for (std::uint8_t i = 0; i < 40; ++i) recent.add(transaction(i));
  for (std::uint8_t i = 0; i < 40; ++i) {
    EXPECT_EQ(recent.contain(transaction(i)), i >= 40 - RecentChecks::kMost) << unsigned{i};
  }
}

TEST(Queue, KeepsItsOrder) {
  Queue<int> queue;
  std::deque<int> expected;
  std::mt19937 random(3);
  for (int i = 0; i < 10000; ++i) {
    if (random() % 2 == 0) {
      queue.push(i);
      expected.push_back(i);
    } else if (!expected.empty()) {
      ASSERT_EQ(queue.front(), expected.front());
      queue.pop();
      expected.pop_front();
    }
    ASSERT_EQ(queue.size(), expected.size());
    ASSERT_EQ(queue.empty(), expected.empty());
  }
}

TEST(ResponseBudget, IsSoManyASecond) {
  const dtls::Instant start(1h);
  ResponseBudget budget(10);
  int granted = 0;
  // 100 s at 1 kHz: one burst more than the rate.
  for (int i = 0; i < 100'000; ++i) granted += budget.take(start + i * 1ms) ? 1 : 0;
  EXPECT_GE(granted, 1000);
  EXPECT_LE(granted, 1010);
  ResponseBudget huge(SIZE_MAX);
  EXPECT_TRUE(huge.take(start));
  ResponseBudget none(0);
  EXPECT_FALSE(none.take(start));
}

TEST(TakesOver, ComparesGenerationThenNominationThenPriority) {
  const Nominated selected{.generation = 2, .nomination = 5, .priority = 100};
  const auto takes = [&](const Nominated& other, bool is_quiet = false) {
    return takes_over(other, selected, is_quiet);
  };
  EXPECT_TRUE(takes({3, 0, 0}));
  EXPECT_FALSE(takes({1, 9, 999}));
  EXPECT_FALSE(takes({1, 9, 999}, true));
  EXPECT_TRUE(takes({2, 6, 0}));
  EXPECT_FALSE(takes({2, 4, 999}));
  EXPECT_TRUE(takes({2, 5, 101}));
  EXPECT_FALSE(takes({2, 5, 100}));
  EXPECT_TRUE(takes({2, 5, 1}, true));
}

class TupleTableTest : public testing::Test {
 public:
  static dtls::UdpPath path(std::uint16_t port) {
    return {.peer = test::address(1, port), .own = test::kServerAddress};
  }
  SlotNumber add(std::uint16_t port) {
    const SlotNumber number = tuples.add(keyed, TupleTable::hash_of(keyed, path(port)), path(port));
    tuples[number].session = 1;
    return number;
  }
  [[nodiscard]] SlotNumber find(std::uint16_t port) const {
    return tuples.find(TupleTable::hash_of(keyed, path(port)), path(port));
  }

  dtls::crypto::KeyedHash keyed =
      test::must(dtls::crypto::KeyedHash::make(test::environment().library()));
  TupleTable tuples;
};

TEST_F(TupleTableTest, FindsByPathAndByPathId) {
  const auto one = add(1);
  const auto two = add(2);
  EXPECT_EQ(find(1), one);
  EXPECT_EQ(find(2), two);
  EXPECT_EQ(find(3), kNoSlot);
  EXPECT_EQ(tuples.find(tuples[two].path.number), two);
  EXPECT_EQ(tuples.path_of(two), path(2));
  tuples.remove(keyed, one);
  EXPECT_EQ(find(1), kNoSlot);
  EXPECT_EQ(tuples.size(), 1U);
}

TEST_F(TupleTableTest, GivesAPathIdNotAgainSoon) {
  const auto one = add(1);
  const auto id = tuples[one].path.number;
  tuples.remove(keyed, one);
  EXPECT_EQ(tuples.find(id), kNoSlot);
  EXPECT_EQ(add(2), one);
  EXPECT_NE(tuples[one].path.number, id);
  EXPECT_EQ(tuples.find(id), kNoSlot);
  EXPECT_EQ(tuples.find(dtls::PathId{UINT32_MAX}), kNoSlot);
}

}  // namespace
}  // namespace sluice::ice_lite
