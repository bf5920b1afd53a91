#include "wire/code_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sluice/dtls/protocol.h>
#include <array>
#include <vector>

#include "support/bytes.h"

namespace sluice::dtls::wire {
namespace {

using Groups = CodeList<NamedGroup>;

TEST(CodeList, GivesItsCodesInOrder) {
  const Buffer bytes = test::from_hex("001d 0017 11ec");
  const Groups groups{Bytes(bytes)};
  std::vector<NamedGroup> seen;
  for (const NamedGroup group : groups) seen.push_back(group);
  EXPECT_THAT(seen,
              testing::ElementsAre(NamedGroup::x25519, NamedGroup::secp256r1, NamedGroup{0x11ec}));
}

TEST(CodeList, AnEmptyOneHasNothing) {
  const Groups groups;
  EXPECT_TRUE(groups.empty());
  EXPECT_EQ(groups.begin(), groups.end());
  EXPECT_FALSE(groups.contains(NamedGroup::x25519));
  EXPECT_FALSE(groups.first_common(std::array{NamedGroup::x25519}));
}

TEST(CodeList, ContainsWholeCodesOnly) {
  // 0x1d00 and 0x1700 hold the bytes of x25519 (0x001d), but across a boundary.
  const Buffer bytes = test::from_hex("1d00 1d00");
  const Groups groups{Bytes(bytes)};
  EXPECT_FALSE(groups.contains(NamedGroup::x25519));
  EXPECT_TRUE(groups.contains(NamedGroup{0x1d00}));
}

TEST(CodeList, TheFirstInCommonFollowsOurOrder) {
  const Buffer bytes = test::from_hex("0018 0017 001d");
  const Groups groups{Bytes(bytes)};
  EXPECT_EQ(groups.first_common(std::array{NamedGroup::x25519, NamedGroup::secp384r1}),
            NamedGroup::x25519);
  EXPECT_EQ(groups.first_common(std::array{NamedGroup{99}, NamedGroup::secp256r1}),
            NamedGroup::secp256r1);
  EXPECT_FALSE(groups.first_common(std::array{NamedGroup{99}}));
}

}  // namespace
}  // namespace sluice::dtls::wire
