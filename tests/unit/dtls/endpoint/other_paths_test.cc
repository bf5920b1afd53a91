#include "endpoint/other_paths.h"

#include <gtest/gtest.h>

#include "support/endpoint_host.h"

namespace sluice::dtls::endpoint {
namespace {

using test::path_of;

TEST(OtherPaths, FindsThoseOfEachConnection) {
  OtherPaths paths;
  EXPECT_EQ(paths.find(1, PathId{0}), nullptr);
  EXPECT_EQ(paths.move(1, path_of(10)), PathId{1});
  EXPECT_EQ(paths.move(2, path_of(20)), PathId{1});
  EXPECT_EQ(paths.move(1, path_of(11)), PathId{2});
  ASSERT_NE(paths.find(1, PathId{0}), nullptr);
  EXPECT_EQ(*paths.find(1, PathId{0}), path_of(10));
  ASSERT_NE(paths.find(1, PathId{1}), nullptr);
  EXPECT_EQ(*paths.find(1, PathId{1}), path_of(11));
  ASSERT_NE(paths.find(2, PathId{0}), nullptr);
  EXPECT_EQ(*paths.find(2, PathId{0}), path_of(20));
  EXPECT_EQ(paths.find(1, PathId{2}), nullptr) << "the present one";
  EXPECT_EQ(paths.find(1, PathId{3}), nullptr);
  EXPECT_EQ(paths.find(1, PathId{UINT32_MAX}), nullptr);
  EXPECT_EQ(paths.find(3, PathId{0}), nullptr);
}

TEST(OtherPaths, KeepsTheNewest) {
  OtherPaths paths;
  for (std::uint32_t i = 0; i < 5; ++i) EXPECT_EQ(paths.move(1, path_of(i)), PathId{i + 1});
  EXPECT_EQ(paths.size(), 1U);
  for (std::uint32_t i = 0; i < 5; ++i) {
    const UdpPath* found = paths.find(1, PathId{i});
    ASSERT_EQ(found != nullptr, i + OtherPaths::kMost >= 5) << i;
    if (found != nullptr) {
      EXPECT_EQ(*found, path_of(i));
    }
  }
}

TEST(OtherPaths, NothingIsLeftOfAConnection) {
  OtherPaths paths;
  paths.move(1, path_of(10));
  paths.move(2, path_of(20));
  paths.remove(1);
  paths.remove(1);
  EXPECT_EQ(paths.size(), 1U);
  EXPECT_EQ(paths.find(1, PathId{0}), nullptr);
  EXPECT_NE(paths.find(2, PathId{0}), nullptr);
  EXPECT_EQ(paths.move(1, path_of(30)), PathId{1});
}

}  // namespace
}  // namespace sluice::dtls::endpoint
