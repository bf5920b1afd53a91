#include "path_table.h"

#include <gtest/gtest.h>

namespace sluice::transport {
namespace {

constexpr dtls::PathId kOne{1};
constexpr dtls::PathId kTwo{2};
constexpr dtls::PathId kThree{3};
constexpr Generation kFirst{0};
constexpr Generation kSecond{1};

TEST(PathTable, KnowsWhatWasAdded) {
  PathTable paths(4);
  EXPECT_EQ(paths.generation_of(kOne), std::nullopt);
  EXPECT_TRUE(paths.add(kOne, kFirst));
  EXPECT_TRUE(paths.add(kTwo, kSecond));
  EXPECT_EQ(paths.generation_of(kOne), kFirst);
  EXPECT_EQ(paths.generation_of(kTwo), kSecond);
  EXPECT_FALSE(paths.knows(kThree));
}

TEST(PathTable, MovesAKnownPath) {
  PathTable paths(1);
  EXPECT_TRUE(paths.add(kOne, kFirst));
  EXPECT_TRUE(paths.add(kOne, kSecond)) << "also when it is full";
  EXPECT_EQ(paths.generation_of(kOne), kSecond);
  paths.remove(kOne);
  EXPECT_FALSE(paths.knows(kOne));
}

TEST(PathTable, HasABound) {
  PathTable paths(2);
  EXPECT_TRUE(paths.add(kOne, kFirst));
  EXPECT_TRUE(paths.add(kTwo, kFirst));
  EXPECT_FALSE(paths.add(kThree, kFirst));
  EXPECT_FALSE(paths.knows(kThree));
  paths.remove(kThree);
  paths.remove(kOne);
  EXPECT_TRUE(paths.add(kThree, kFirst));
}

}  // namespace
}  // namespace sluice::transport
