#include "load/loss_repair.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <chrono>
#include <initializer_list>

namespace sluice::interop::load {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr dtls::Instant kNow{1h};

rtp::NackEntry entry(std::uint16_t lost, std::uint16_t following = 0) {
  return {.lost = rtp::SequenceNumber{lost}, .following = following};
}

class LossRepairTest : public testing::Test {
 protected:
  void come(std::initializer_list<int> numbers) {
    for (const int number : numbers) {
      repair_.on_packet(rtp::SequenceNumber{static_cast<std::uint16_t>(number)}, kNow);
    }
  }

  LossRepair repair_;
};

TEST_F(LossRepairTest, AsksForNothingWhileNothingIsMissing) {
  come({65534, 65535, 0, 1});
  EXPECT_FALSE(repair_.next_timeout());
  EXPECT_THAT(repair_.handle_timeout(kNow), IsEmpty());
}

// RFC 4585 section 6.2.1: bit 0 is the packet after the lost one.
TEST_F(LossRepairTest, AsksAtOnceForWhatIsMissing) {
  come({65533, 2, 4, 30});
  EXPECT_EQ(repair_.next_timeout(), kNow);
  const auto entries = repair_.handle_timeout(kNow);
  // 65534, 65535, 0, 1, 3, then 5 to 29.
  EXPECT_THAT(entries, ElementsAre(entry(65534, 0xffd7), entry(15, 0x3fff)));
}

TEST_F(LossRepairTest, AsksAgainUntilItComes) {
  come({1, 4});
  repair_.handle_timeout(kNow);
  EXPECT_EQ(repair_.next_timeout(), kNow + LossRepair::kInterval);
  EXPECT_THAT(repair_.handle_timeout(kNow), IsEmpty());
  come({2});
  EXPECT_THAT(repair_.handle_timeout(kNow + LossRepair::kInterval), ElementsAre(entry(3)));
  come({3});
  EXPECT_FALSE(repair_.next_timeout());
}

TEST_F(LossRepairTest, GivesUp) {
  come({1, 3});
  auto now = kNow;
  for (int i = 0; i < LossRepair::kTries; ++i, now += LossRepair::kInterval) {
    EXPECT_THAT(repair_.handle_timeout(now), ElementsAre(entry(2)));
  }
  EXPECT_FALSE(repair_.next_timeout());
}

TEST_F(LossRepairTest, HasABound) {
  come({0, 20'000});
  std::size_t asked = 0;
  for (const auto& each : repair_.handle_timeout(kNow)) {
    asked += 1 + static_cast<std::size_t>(std::popcount(each.following));
    EXPECT_GE(rtp::number(each.lost), 20'000 - LossRepair::kMaxMissing);
  }
  EXPECT_EQ(asked, LossRepair::kMaxMissing);
}

}  // namespace
}  // namespace sluice::interop::load
