#include "sfu/rate_budget.h"

#include <gtest/gtest.h>

#include <cstddef>

namespace sluice::interop::sfu {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kPerSecond = 50;
const dtls::Instant kFirst{1h};

std::size_t takes(RateBudget& budget, dtls::Instant now) {
  std::size_t taken = 0;
  while (budget.take(1, kPerSecond, now)) ++taken;
  return taken;
}

TEST(RateBudget, HasASecondAtOnce) {
  RateBudget budget;
  EXPECT_EQ(takes(budget, kFirst), kPerSecond);
  EXPECT_EQ(takes(budget, kFirst + 10ms), 0U);
  EXPECT_EQ(takes(budget, kFirst + 100ms), 5U);
}

TEST(RateBudget, KeepsNoMoreThanASecond) {
  RateBudget budget;
  EXPECT_EQ(takes(budget, kFirst), kPerSecond);
  EXPECT_EQ(takes(budget, kFirst + 1h), kPerSecond);
}

TEST(RateBudget, TakesAllOrNothing) {
  RateBudget budget;
  EXPECT_FALSE(budget.take(kPerSecond + 1, kPerSecond, kFirst));
  EXPECT_TRUE(budget.take(40, kPerSecond, kFirst));
  EXPECT_FALSE(budget.take(11, kPerSecond, kFirst));
  EXPECT_TRUE(budget.take(10, kPerSecond, kFirst));
  EXPECT_TRUE(budget.take(0, kPerSecond, kFirst));
}

TEST(RateBudget, KeepsTheRateOverTime) {
  RateBudget budget;
  std::size_t taken = takes(budget, kFirst);
  for (dtls::Instant now = kFirst; now < kFirst + 10s; now += 7ms) taken += takes(budget, now);
  EXPECT_LE(taken, 11 * kPerSecond);
  EXPECT_GE(taken, 11 * kPerSecond - 1);
}

TEST(RateBudget, LargeNumbersAreNoProblem) {
  RateBudget budget;
  EXPECT_FALSE(budget.take(SIZE_MAX, kPerSecond, kFirst));
  EXPECT_TRUE(budget.take(1'000'000'000, 1'000'000'000, kFirst));
  EXPECT_FALSE(budget.take(1'000'000, 1'000'000'000, kFirst));
}

}  // namespace
}  // namespace sluice::interop::sfu
