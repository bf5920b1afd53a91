#include "crypto/warm_list.h"

#include <gtest/gtest.h>

namespace sluice::dtls::crypto {
namespace {

struct Owner final : WarmList::Member {
  void cool() override { ++cooled; }
  int cooled = 0;
};

class WarmListOfTwo : public testing::Test {
 protected:
  WarmList list_{2};
  Owner a_;
  Owner b_;
  Owner c_;
};

TEST_F(WarmListOfTwo, TheLeastRecentlyUsedGoesCold) {
  list_.use(a_);
  list_.use(b_);
  list_.use(a_);
  list_.use(c_);
  EXPECT_EQ(b_.cooled, 1);
  list_.use(b_);
  EXPECT_EQ(a_.cooled, 1);
  EXPECT_EQ(c_.cooled, 0);
  EXPECT_EQ(list_.size(), 2u);
}

TEST(WarmListTest, WhoIsTriedOutIsTheFirstToGo) {
  WarmList list(3);
  Owner used[3];
  Owner tried[3];
  for (Owner& owner : used) list.use(owner);
  for (Owner& owner : tried) list.try_out(owner);
  EXPECT_EQ(used[0].cooled, 1);
  EXPECT_EQ(used[1].cooled + used[2].cooled, 0);
  EXPECT_EQ(tried[0].cooled + tried[1].cooled, 2);
  list.use(tried[2]);
  list.use(used[0]);
  EXPECT_EQ(used[1].cooled, 1);
  EXPECT_EQ(tried[2].cooled, 0);
}

TEST_F(WarmListOfTwo, WhoLeavesMakesRoom) {
  list_.use(a_);
  list_.use(b_);
  list_.leave(a_);
  list_.leave(a_);
  list_.use(c_);
  EXPECT_EQ(list_.size(), 2u);
  EXPECT_EQ(a_.cooled + b_.cooled + c_.cooled, 0);
  list_.use(a_);
  EXPECT_EQ(b_.cooled, 1);
}

}  // namespace
}  // namespace sluice::dtls::crypto
