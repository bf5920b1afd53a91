#include "sfu/forwarding/rate_meter.h"

#include <gtest/gtest.h>

namespace sluice::interop::sfu {
namespace {

using namespace std::chrono_literals;

class Meter : public testing::Test {
 protected:
  // So many bytes every 100 ms.
  void send_for(dtls::Duration duration, std::size_t bytes) {
    for (const auto until = now_ + duration; now_ < until; now_ += 100ms) meter_.add(bytes, now_);
  }

  RateMeter meter_;
  dtls::Instant now_{1h};
};

TEST_F(Meter, MeasuresOverWholeSeconds) {
  send_for(3s, 1000);
  EXPECT_EQ(meter_.bits_per_second(now_), 80'000U);
  EXPECT_EQ(meter_.bits_per_second(now_ + 2s), 0U);
}

TEST_F(Meter, ThePeakStaysWhileItSendsLess) {
  send_for(3s, 1000);
  send_for(60s, 10);
  EXPECT_EQ(meter_.bits_per_second(now_), 800U);
  EXPECT_GT(meter_.peak(now_), 65'000U);
  EXPECT_LE(meter_.peak(now_), 80'000U);
  send_for(3s, 2000);
  EXPECT_NEAR(static_cast<double>(meter_.peak(now_)), 160'000., 500.);
}

TEST_F(Meter, ThePeakFadesByHalfInFiveMinutes) {
  send_for(2100ms, 1000);
  const auto before = static_cast<double>(meter_.peak(now_));
  EXPECT_NEAR(static_cast<double>(meter_.peak(now_ + 5min)), before / 2, 2.);
  EXPECT_NEAR(static_cast<double>(meter_.peak(now_ + 10min)), before / 4, 2.);
  EXPECT_EQ(meter_.peak(now_ + 24h), 0U);
}

TEST_F(Meter, GoesOnFromAnotherProcess) {
  meter_ = RateMeter(1'000, 90'000, now_);
  EXPECT_EQ(meter_.bits_per_second(now_), 1'000U);
  EXPECT_EQ(meter_.peak(now_), 90'000U);
}

TEST_F(Meter, HasNoPeakBeforeItHasMeasured) {
  EXPECT_EQ(meter_.peak(now_), 0U);
  send_for(500ms, 1000);
  EXPECT_EQ(meter_.peak(now_), 0U);
  EXPECT_TRUE(meter_.is_beginning(now_));
}

}  // namespace
}  // namespace sluice::interop::sfu
