#include "endpoint/other_paths.h"

#include <gtest/gtest.h>

#include "support/endpoint_host.h"

namespace sluice::dtls::endpoint {
namespace {

using test::path_of;

TEST(OtherPaths, FindsThoseOfEachConnection) {
  OtherPaths paths;
  EXPECT_EQ(paths.find(1, PathId{0}), nullptr);
  paths.add(1, PathId{0}, path_of(10));
  paths.add(2, PathId{0}, path_of(20));
  paths.add(1, PathId{1}, path_of(11));
  EXPECT_EQ(*paths.find(1, PathId{0}), path_of(10));
  EXPECT_EQ(*paths.find(1, PathId{1}), path_of(11));
  EXPECT_EQ(*paths.find(2, PathId{0}), path_of(20));
  EXPECT_EQ(paths.find(2, PathId{1}), nullptr);
  EXPECT_EQ(paths.find(3, PathId{0}), nullptr);
}

TEST(OtherPaths, KeepsTheNewest) {
  OtherPaths paths;
  for (std::uint32_t i = 0; i < 5; ++i) paths.add(1, PathId{i}, path_of(i));
  EXPECT_EQ(paths.size(), 1U);
  for (std::uint32_t i = 0; i < 5; ++i) {
    EXPECT_EQ(paths.find(1, PathId{i}) != nullptr, i + OtherPaths::kMost >= 5) << i;
  }
}

TEST(OtherPaths, NothingIsLeftOfAConnection) {
  OtherPaths paths;
  paths.add(1, PathId{0}, path_of(10));
  paths.add(2, PathId{0}, path_of(20));
  paths.remove(1);
  paths.remove(1);
  EXPECT_EQ(paths.size(), 1U);
  EXPECT_EQ(paths.find(1, PathId{0}), nullptr);
  EXPECT_NE(paths.find(2, PathId{0}), nullptr);
}

}  // namespace
}  // namespace sluice::dtls::endpoint
