#include "endpoint/other_paths.h"

#include <gtest/gtest.h>

#include "support/endpoint_host.h"

namespace sluice::dtls::endpoint {
namespace {

using test::path_of;

constexpr PathId kFirst{0};

TEST(OtherPaths, FindsThoseOfEachConnection) {
  OtherPaths paths;
  EXPECT_EQ(paths.find(1, kFirst), nullptr);
  EXPECT_EQ(paths.number_of(1, path_of(10), kFirst), PathId{1});
  EXPECT_EQ(paths.size(), 0U) << "it is not kept yet";
  paths.keep(1, PathId{1}, path_of(10));
  EXPECT_EQ(paths.number_of(1, path_of(10), kFirst), PathId{1});
  EXPECT_EQ(paths.number_of(1, path_of(11), kFirst), PathId{2});
  EXPECT_EQ(paths.number_of(1, path_of(11), PathId{7}), PathId{8});
  EXPECT_EQ(paths.number_of(2, path_of(10), kFirst), PathId{1});
  ASSERT_NE(paths.find(1, PathId{1}), nullptr);
  EXPECT_EQ(*paths.find(1, PathId{1}), path_of(10));
  EXPECT_EQ(paths.find(1, PathId{2}), nullptr);
  EXPECT_EQ(paths.find(1, PathId{UINT32_MAX}), nullptr);
  EXPECT_EQ(paths.find(2, PathId{1}), nullptr);
}

TEST(OtherPaths, KeepsTheNewest) {
  OtherPaths paths;
  constexpr std::uint32_t kCount = 6;
  for (std::uint32_t i = 0; i < kCount; ++i) paths.keep(1, PathId{i}, path_of(i));
  EXPECT_EQ(paths.size(), 1U);
  for (std::uint32_t i = 0; i < kCount; ++i) {
    const UdpPath* found = paths.find(1, PathId{i});
    ASSERT_EQ(found != nullptr, i + OtherPaths::kMost >= kCount) << i;
    if (found != nullptr) {
      EXPECT_EQ(*found, path_of(i));
    }
  }
  // That which is kept again is the newest.
  paths.keep(1, PathId{3}, path_of(3));
  paths.keep(1, PathId{6}, path_of(6));
  EXPECT_NE(paths.find(1, PathId{3}), nullptr);
  EXPECT_EQ(paths.find(1, PathId{4}), nullptr);
}

// It would take the place of a path that a datagram is still to go to.
TEST(OtherPaths, ThePresentOneIsNoneOfThem) {
  OtherPaths paths;
  for (std::uint32_t i = 1; i <= OtherPaths::kMost; ++i) paths.keep(1, PathId{i}, path_of(i));
  paths.exchange(1, PathId{2}, kFirst, path_of(0));
  EXPECT_EQ(paths.find(1, PathId{2}), nullptr);
  for (const std::uint32_t i : {0U, 1U, 3U}) {
    ASSERT_NE(paths.find(1, PathId{i}), nullptr) << i;
    EXPECT_EQ(*paths.find(1, PathId{i}), path_of(i));
  }
  // One that was not kept.
  paths.exchange(2, PathId{1}, kFirst, path_of(0));
  EXPECT_EQ(paths.find(2, PathId{1}), nullptr);
  EXPECT_NE(paths.find(2, kFirst), nullptr);
}

TEST(OtherPaths, NothingIsLeft) {
  OtherPaths paths;
  paths.keep(1, PathId{1}, path_of(10));
  paths.keep(1, PathId{2}, path_of(11));
  paths.keep(2, PathId{1}, path_of(20));
  paths.drop(1, PathId{1});
  EXPECT_EQ(paths.find(1, PathId{1}), nullptr);
  EXPECT_NE(paths.find(1, PathId{2}), nullptr);
  EXPECT_NE(paths.find(2, PathId{1}), nullptr);
  paths.drop(1, PathId{2});
  paths.drop(1, PathId{2});
  EXPECT_EQ(paths.size(), 1U);
  paths.drop_all(2);
  paths.drop_all(2);
  EXPECT_EQ(paths.size(), 0U);
}

}  // namespace
}  // namespace sluice::dtls::endpoint
