#include "sent_packets.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "packet_index.h"

namespace sluice::srtp {
namespace {

using State = SentPackets::State;

TEST(SentPackets, KnowsWhatIsUsed) {
  SentPackets sent(128, 64);
  EXPECT_EQ(sent.state_of(0), State::unused);
  sent.use(0);
  EXPECT_EQ(sent.state_of(0), State::used);
  sent.use(1000);
  EXPECT_EQ(sent.state_of(999), State::unused);
  EXPECT_EQ(sent.state_of(1000 - 127), State::unused);
  EXPECT_EQ(sent.state_of(1000 - 128), State::out_of_window);
  EXPECT_EQ(sent.highest(), 1000U);
}

TEST(SentPackets, ATagIsOfItsOwnIndex) {
  SentPackets sent(128, 64);
  auto* tag = sent.use(70);
  EXPECT_EQ(sent.tag_of(70), std::nullopt) << "none yet";
  ASSERT_NE(tag, nullptr);
  *tag = 5;
  EXPECT_EQ(sent.tag_of(70), 5U);
  tag = sent.use(70 + 64);
  EXPECT_EQ(sent.tag_of(70), std::nullopt);
  EXPECT_EQ(sent.tag_of(70 + 64), std::nullopt) << "not that of 70";
  ASSERT_NE(tag, nullptr);
  *tag = 6;
  EXPECT_EQ(sent.use(69), nullptr) << "too late to be sent again";
  EXPECT_EQ(sent.tag_of(70 + 64), 6U);
}

TEST(SentPackets, AgreesWithAListOfAll) {
  for (unsigned seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const std::size_t window = 64 + random() % 100;
    const std::size_t repeats = 1 + random() % window;
    SentPackets sent(window, repeats);
    std::map<std::uint64_t, std::uint64_t> all;
    std::uint64_t highest = 0;
    for (int i = 0; i < 2000; ++i) {
      const auto ahead = random() % 50 == 0 ? random() % 500 : random() % 3;
      const auto index = highest + ahead - std::min<std::uint64_t>(highest, random() % 200);
      const bool in_window = index > highest || highest - index < window;
      ASSERT_EQ(sent.state_of(index), !in_window            ? State::out_of_window
                                      : all.contains(index) ? State::used
                                                            : State::unused);
      if (!in_window) continue;
      if (all.contains(index)) {
        const auto tag = sent.tag_of(index);
        ASSERT_EQ(tag.has_value(), highest - index < repeats);
        if (tag) {
          ASSERT_EQ(*tag, all[index]);
        }
        continue;
      }
      all[index] = 1 + random();
      highest = std::max(highest, index);
      auto* const tag = sent.use(index);
      ASSERT_EQ(tag != nullptr, highest - index < repeats);
      if (tag != nullptr) *tag = all[index];
    }
  }
}

TEST(PacketIndex, IsTheNearest) {
  EXPECT_EQ(nearest_index(0, 65535), 65535U) << "there is no roll-over counter below 0";
  EXPECT_EQ(nearest_index(0x8000, 65535), 65535U);
  EXPECT_EQ(nearest_index(65535, 0), 65536U);
  EXPECT_EQ(nearest_index(65536, 65535), 65535U);
  EXPECT_EQ(nearest_index(65536, 1), 65537U);
  EXPECT_EQ(nearest_index(0x1'9000, 0x0fff), 0x2'0fffU);
  EXPECT_EQ(nearest_index(0x1'9000, 0x1000), 0x1'1000U);
  EXPECT_GT(nearest_index(kLastIndex, 0), kLastIndex);
}

}  // namespace
}  // namespace sluice::srtp
