#include "sfu/forwarding/missing_packets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace sluice::interop::sfu {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr dtls::Instant kBegin{1h};

class Missing : public testing::Test {
 protected:
  void come(std::initializer_list<std::uint16_t> numbers) {
    for (const auto number : numbers) missing_.on_packet(rtp::SequenceNumber{number}, now_);
  }
  // The numbers that are asked for now.
  std::vector<std::uint16_t> asked() {
    std::vector<std::uint16_t> numbers;
    for (const rtp::NackEntry& entry : missing_.due(now_)) {
      entry.for_each([&](auto number) { numbers.push_back(rtp::number(number)); });
    }
    return numbers;
  }

  MissingPackets missing_;
  dtls::Instant now_ = kBegin;
};

TEST_F(Missing, NothingIsAskedForInAWholeStream) {
  come({65534, 65535, 0, 1});
  EXPECT_THAT(asked(), IsEmpty());
}

TEST_F(Missing, APacketMayComeALittleLate) {
  come({10, 12, 13});
  EXPECT_THAT(asked(), ElementsAre());
  come({14});
  EXPECT_THAT(asked(), ElementsAre(11));
}

TEST_F(Missing, TheEndOfAStreamIsAskedForAfterAWhile) {
  come({10, 12});
  EXPECT_THAT(asked(), IsEmpty());
  now_ += MissingPackets::kInterval;
  EXPECT_THAT(asked(), ElementsAre(11));
}

TEST_F(Missing, WhatHasComeIsNotAskedFor) {
  come({10, 15});
  come({12, 13});
  now_ += MissingPackets::kInterval;
  EXPECT_THAT(asked(), ElementsAre(11, 14));
}

TEST_F(Missing, EachIsAskedForAtIntervalsUntilItIsTooLate) {
  come({65535, 1, 2, 3});
  int times = 0;
  for (; now_ < kBegin + 5s; now_ += 10ms) times += static_cast<int>(asked().size());
  EXPECT_EQ(times, MissingPackets::kPatience / MissingPackets::kInterval + 1);
}

TEST_F(Missing, OneEntryTellsSeventeen) {
  come({100, 118, 119, 120});
  const auto entries = missing_.due(now_);
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].lost, rtp::SequenceNumber{101});
  EXPECT_EQ(entries[0].following, 0xffff);
  come({140, 141, 142});
  EXPECT_EQ(missing_.due(now_).size(), 2U) << "121 to 137, 138 and 139";
}

TEST_F(Missing, ALargeGapIsGivenUp) {
  come({10, 12});
  come({12 + MissingPackets::kMost + 1});
  now_ += MissingPackets::kInterval;
  EXPECT_EQ(asked().size(), MissingPackets::kMost) << "the newer ones";
  come({1000, 1001, 1002, 1003});
  now_ += MissingPackets::kInterval;
  EXPECT_THAT(asked(), IsEmpty());
  come({1005, 1006, 1007, 1008});
  EXPECT_THAT(asked(), ElementsAre(1004)) << "it goes on";
}

}  // namespace
}  // namespace sluice::interop::sfu
