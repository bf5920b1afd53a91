#include "record/future_record.h"

#include <gtest/gtest.h>

#include "support/bytes.h"

namespace sluice::dtls::record {
namespace {

using test::from_hex;
using test::to_hex;

bool keep(FutureRecords& records, const Buffer& bytes, PathId path = PathId{1}) {
  return records.keep({bytes}, path);
}

TEST(FutureRecords, ComeBackInOrderAndOnce) {
  FutureRecords records;
  EXPECT_TRUE(records.take().empty());
  EXPECT_TRUE(keep(records, from_hex("aabb")));
  EXPECT_TRUE(keep(records, from_hex("cc")));
  const auto kept = records.take();
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_EQ(to_hex(kept[0].bytes), "aabbcc") << "as one datagram";
  EXPECT_TRUE(records.take().empty());
}

TEST(FutureRecords, KnowThePathThatTheyCameOn) {
  FutureRecords records;
  keep(records, from_hex("01"), PathId{1});
  keep(records, from_hex("02"), PathId{2});
  keep(records, from_hex("03"), PathId{2});
  keep(records, from_hex("04"), PathId{1});
  const auto kept = records.take();
  ASSERT_EQ(kept.size(), 3U);
  EXPECT_EQ(kept[0].path, PathId{1});
  EXPECT_EQ(kept[1].path, PathId{2});
  EXPECT_EQ(to_hex(kept[1].bytes), "0203");
  EXPECT_EQ(kept[2].path, PathId{1});
}

TEST(FutureRecords, HaveABound) {
  FutureRecords records;
  EXPECT_TRUE(keep(records, Buffer(4000)));
  EXPECT_FALSE(keep(records, Buffer(97), PathId{2}));
  EXPECT_TRUE(keep(records, Buffer(96), PathId{2}));
  EXPECT_FALSE(keep(records, Buffer(1)));
  records.take();
  EXPECT_TRUE(keep(records, Buffer(4096))) << "once they are taken there is room again";
}

}  // namespace
}  // namespace sluice::dtls::record
