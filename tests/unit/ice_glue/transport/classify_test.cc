#include <sluice/transport/classify.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

namespace sluice::transport {
namespace {

PacketClass classify_first_byte(unsigned first) {
  const std::array<std::byte, 20> datagram{static_cast<std::byte>(first)};
  return classify(datagram);
}

// RFC 7983 section 7 as RFC 9443 section 4 amends it, line by line.
TEST(Classify, FollowsTheTable) {
  struct Range {
    unsigned first, last;
    PacketClass expected;
  };
  const Range table[] = {{0, 3, PacketClass::stun},           {4, 15, PacketClass::unknown},
                         {16, 19, PacketClass::zrtp},         {20, 63, PacketClass::dtls},
                         {64, 79, PacketClass::turn_channel}, {80, 127, PacketClass::quic},
                         {128, 191, PacketClass::rtp},        {192, 255, PacketClass::quic}};
  unsigned next = 0;
  for (const auto& range : table) {
    ASSERT_EQ(range.first, next) << "the table has no gap";
    for (; next <= range.last; ++next) EXPECT_EQ(classify_first_byte(next), range.expected) << next;
  }
  EXPECT_EQ(next, 256U);
}

TEST(Classify, TakesTheUnifiedHeadersOfDtls13) {
  EXPECT_EQ(classify_first_byte(0x2c), PacketClass::dtls);
  EXPECT_EQ(classify_first_byte(0x3f), PacketClass::dtls);
}

TEST(Classify, NeedsAByte) {
  EXPECT_EQ(classify({}), PacketClass::unknown);
  const std::array one{std::byte{22}};
  EXPECT_EQ(classify(one), PacketClass::dtls);
}

TEST(Classify, NamesEachClass) {
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < kPacketClasses; ++i) {
    names.push_back(to_string(static_cast<PacketClass>(i)));
  }
  std::ranges::sort(names);
  EXPECT_EQ(std::ranges::adjacent_find(names), names.end());
  EXPECT_EQ(to_string(static_cast<PacketClass>(kPacketClasses)), "unknown");
}

}  // namespace
}  // namespace sluice::transport
