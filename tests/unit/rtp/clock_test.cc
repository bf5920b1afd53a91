#include <sluice/rtp/clock.h>

#include <gtest/gtest.h>

namespace sluice::rtp {
namespace {

using namespace std::chrono_literals;

TEST(RtpClock, NtpTimeCountsFrom1900) {
  // RFC 868: 2,208,988,800 s from 1900 to 1970.
  EXPECT_EQ(ntp_time(0us), NtpTime{2'208'988'800ULL << 32});
  EXPECT_EQ(ntp_time(1'500'000us), NtpTime{2'208'988'801ULL << 32 | 0x80000000});
  EXPECT_EQ(middle(NtpTime{0x1122334455667788}), CompactNtp{0x33445566});
}

TEST(RtpClock, CompactNtpIsLimited) {
  EXPECT_EQ(to_compact(1s), CompactNtp{65536});
  EXPECT_EQ(to_compact(250ms), CompactNtp{16384});
  EXPECT_EQ(to_compact(-1s), CompactNtp{0});
  EXPECT_EQ(to_compact(65536s), CompactNtp{0xffffffff});
  EXPECT_EQ(to_compact(Duration::max()), CompactNtp{0xffffffff});
  EXPECT_EQ(to_duration(CompactNtp{65536}), 1s);
}

// RFC 3550 section 6.4.1, the example of figure 2: 6.125 s.
TEST(RtpClock, RoundTripTime) {
  EXPECT_EQ(round_trip_time(CompactNtp{0xb7108000}, CompactNtp{0xb7052000}, CompactNtp{0x00054000}),
            6125ms);
  // Across the wrap.
  EXPECT_EQ(round_trip_time(CompactNtp{0x00008000}, CompactNtp{0xffff8000}, CompactNtp{0}), 1s);
  EXPECT_EQ(round_trip_time(CompactNtp{65536}, CompactNtp{0}, CompactNtp{1}), std::nullopt);
  EXPECT_EQ(round_trip_time(CompactNtp{10}, CompactNtp{9}, CompactNtp{2}), std::nullopt);
}

}  // namespace
}  // namespace sluice::rtp
