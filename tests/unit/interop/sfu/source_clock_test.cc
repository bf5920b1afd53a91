#include "sfu/forwarding/source_clock.h"

#include <gtest/gtest.h>

namespace sluice::interop::sfu {
namespace {

using namespace std::chrono_literals;

constexpr rtp::Instant kStart{1h};

TEST(SourceClockTest, GoesOnFromTheLastReport) {
  SourceClock clock(90'000);
  EXPECT_FALSE(clock.at(kStart));
  clock.on_sender_report(
      {.ntp_time = rtp::NtpTime{7ULL << 32}, .rtp_timestamp = rtp::Timestamp{1000}}, kStart);
  const auto later = clock.at(kStart + 2500ms);
  ASSERT_TRUE(later);
  EXPECT_EQ(later->ntp_time, rtp::NtpTime{(9ULL << 32) + (1ULL << 31)});
  EXPECT_EQ(later->timestamp, rtp::Timestamp{1000 + 225'000});
  clock.on_sender_report({.ntp_time = rtp::NtpTime{1}, .rtp_timestamp = rtp::Timestamp{5}},
                         kStart + 3s);
  EXPECT_EQ(clock.at(kStart + 3s)->ntp_time, rtp::NtpTime{1});
}

// A source that reports once in a day, and a timestamp that wraps around.
TEST(SourceClockTest, LongTimesAreExact) {
  SourceClock clock(48'000);
  clock.on_sender_report({.rtp_timestamp = rtp::Timestamp{0xffffffff}}, kStart);
  const auto later = clock.at(kStart + 24h);
  ASSERT_TRUE(later);
  EXPECT_EQ(later->ntp_time, rtp::NtpTime{86'400ULL << 32});
  EXPECT_EQ(later->timestamp, rtp::Timestamp{static_cast<std::uint32_t>(86'400ULL * 48'000 - 1)});
}

}  // namespace
}  // namespace sluice::interop::sfu
