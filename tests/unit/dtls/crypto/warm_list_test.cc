#include "crypto/warm_list.h"

#include <gtest/gtest.h>

namespace sluice::dtls::crypto {
namespace {

struct Owner final : WarmList::Member {
  void cool() override { ++cooled; }
  int cooled = 0;
};

TEST(WarmListTest, TheLeastRecentlyUsedGoesCold) {
  WarmList list(2);
  Owner a;
  Owner b;
  Owner c;
  list.use(a);
  list.use(b);
  list.use(a);
  list.use(c);
  EXPECT_EQ(b.cooled, 1);
  list.use(b);
  EXPECT_EQ(a.cooled, 1);
  EXPECT_EQ(c.cooled, 0);
  EXPECT_EQ(list.size(), 2u);
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

TEST(WarmListTest, WhoLeavesMakesRoom) {
  WarmList list(2);
  Owner a;
  Owner b;
  Owner c;
  list.use(a);
  list.use(b);
  list.leave(a);
  list.leave(a);
  list.use(c);
  EXPECT_EQ(list.size(), 2u);
  EXPECT_EQ(a.cooled + b.cooled + c.cooled, 0);
  list.use(a);
  EXPECT_EQ(b.cooled, 1);
}

}  // namespace
}  // namespace sluice::dtls::crypto
