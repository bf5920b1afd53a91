#include "crypto/warm_list.h"

#include <gtest/gtest.h>

namespace sluice::dtls::crypto {
namespace {

struct Owner : WarmList::Member {
  void cool() { ++cooled; }
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
