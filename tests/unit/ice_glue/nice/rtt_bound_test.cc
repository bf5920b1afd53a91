#include "rtt_bound.h"

#include <gtest/gtest.h>

namespace sluice::nice {
namespace {

using std::chrono::microseconds;

TEST(RttBound, IsTheTimeThatTheCheckCanHaveTaken) {
  EXPECT_EQ(rtt_bound(1'000'000, 1'020'000), microseconds{20'000});
  EXPECT_EQ(rtt_bound(7, 7), microseconds{0});
  EXPECT_EQ(rtt_bound(0, 500'000), microseconds{500'000});
}

TEST(RttBound, SaysNothingWhenTheFirstTimeoutWouldNotBeEarlier) {
  EXPECT_EQ(rtt_bound(0, 500'001), std::nullopt);
  EXPECT_EQ(rtt_bound(1, 0), std::nullopt);
}

}  // namespace
}  // namespace sluice::nice
