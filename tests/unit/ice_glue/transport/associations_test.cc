#include "associations.h"

#include <gtest/gtest.h>

namespace sluice::transport {
namespace {

constexpr PathId kFirstPath{1};
constexpr PathId kSecondPath{2};

TEST(Associations, SelectAddsAPath) {
  Associations associations(1);
  EXPECT_TRUE(associations.select(kFirstPath));
  EXPECT_EQ(associations.selected(), kFirstPath);
  ASSERT_TRUE(associations.generation_of(kFirstPath));
  EXPECT_TRUE(associations.is_newest(*associations.generation_of(kFirstPath)));

  EXPECT_FALSE(associations.select(kSecondPath)) << "there is room for one path";
  EXPECT_EQ(associations.selected(), kFirstPath);
}

TEST(Associations, PathsBelongToTheAssociationOfTheirTime) {
  Associations associations(2);
  ASSERT_TRUE(associations.select(kFirstPath));
  EXPECT_EQ(associations.selected_for_newest(), kFirstPath);

  associations.start_generation();
  ASSERT_TRUE(associations.add_path(kSecondPath));
  EXPECT_FALSE(associations.is_newest(*associations.generation_of(kFirstPath)));
  EXPECT_TRUE(associations.is_newest(*associations.generation_of(kSecondPath)));
  EXPECT_EQ(associations.selected(), kFirstPath);
  EXPECT_EQ(associations.selected_for_newest(), std::nullopt);

  ASSERT_TRUE(associations.add_path(kFirstPath)) << "validated anew";
  EXPECT_EQ(associations.selected_for_newest(), kFirstPath);
}

TEST(Associations, ARemovedPathIsNotSelected) {
  Associations associations(2);
  ASSERT_TRUE(associations.select(kFirstPath));
  associations.remove_path(kFirstPath);
  EXPECT_EQ(associations.selected(), std::nullopt);
  EXPECT_EQ(associations.sending_path(), std::nullopt);
  EXPECT_FALSE(associations.generation_of(kFirstPath));
}

TEST(Associations, WithoutAConnectionNothingIsSent) {
  Associations associations(1);
  ASSERT_TRUE(associations.select(kFirstPath));
  EXPECT_EQ(associations.newest(), nullptr);
  EXPECT_EQ(associations.previous(), nullptr);
  EXPECT_EQ(associations.sender(), nullptr);
  EXPECT_EQ(associations.association_of(kFirstPath), nullptr);
  EXPECT_EQ(associations.only_session(kFirstPath), nullptr);
  EXPECT_FALSE(associations.previous_takes(Generation{}, PacketClass::rtp));
  std::byte out[1200];
  EXPECT_FALSE(associations.poll_transmit(out));
  EXPECT_FALSE(associations.poll_data());
  EXPECT_FALSE(associations.next_timeout());
}

}  // namespace
}  // namespace sluice::transport
