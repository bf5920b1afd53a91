#include "flight/retransmission_timer.h"

#include <gtest/gtest.h>

namespace sluice::dtls::flight {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Instant kStart{seconds{100}};

// How long each of `count` timeouts of one flight lasts.
std::vector<Duration> timeouts(RetransmissionTimer& timer, int count) {
  std::vector<Duration> all;
  Instant now = kStart;
  timer.start(now);
  for (int i = 0; i < count; ++i) {
    all.push_back(*timer.deadline() - now);
    now = *timer.deadline();
    timer.back_off(now);
  }
  return all;
}

TEST(RetransmissionTimer, IsSilentUntilStarted) {
  const RetransmissionTimers settings;
  RetransmissionTimer timer(settings);
  EXPECT_FALSE(timer.deadline());
  timer.start(kStart);
  EXPECT_TRUE(timer.deadline());
  timer.stop();
  EXPECT_FALSE(timer.deadline());
}

// RFC 6347 section 4.2.4.1: an initial value of 1 s, doubled at each retransmission, up to a
// maximum.
TEST(RetransmissionTimer, DoublesUpToItsMaximum) {
  const RetransmissionTimers settings;
  RetransmissionTimer timer(settings);
  EXPECT_EQ(timeouts(timer, 6), (std::vector<Duration>{seconds{1}, seconds{2}, seconds{4},
                                                       seconds{4}, seconds{4}, seconds{4}}));
}

TEST(RetransmissionTimer, BacksOffByAnyFactor) {
  const RetransmissionTimers settings{
      .initial = milliseconds{100}, .back_off = 1.5, .maximum = milliseconds{300}};
  RetransmissionTimer timer(settings);
  EXPECT_EQ(timeouts(timer, 4), (std::vector<Duration>{milliseconds{100}, milliseconds{150},
                                                       milliseconds{225}, milliseconds{300}}));
}

TEST(RetransmissionTimer, StaysConstantWithAFactorOfOne) {
  const RetransmissionTimers settings{.initial = milliseconds{250}, .back_off = 1.0};
  RetransmissionTimer timer(settings);
  EXPECT_EQ(timeouts(timer, 20), std::vector<Duration>(20, milliseconds{250}));
}

// A factor far out of reason must not overflow into the past.
TEST(RetransmissionTimer, AHugeFactorEndsAtTheMaximum) {
  const RetransmissionTimers settings{.back_off = 1e300};
  RetransmissionTimer timer(settings);
  EXPECT_EQ(timeouts(timer, 3), (std::vector<Duration>{seconds{1}, seconds{4}, seconds{4}}));
}

TEST(RetransmissionTimer, ANewFlightStartsFromTheInitialValue) {
  const RetransmissionTimers settings;
  RetransmissionTimer timer(settings);
  timeouts(timer, 5);
  timer.start(kStart);
  EXPECT_EQ(*timer.deadline() - kStart, seconds{1});
}

TEST(RetransmissionTimer, ARepetitionByThePeerKeepsTheBackOff) {
  const RetransmissionTimers settings;
  RetransmissionTimer timer(settings);
  timer.start(kStart);
  timer.back_off(kStart + seconds{1});
  timer.restart(kStart + milliseconds{1500});
  EXPECT_EQ(*timer.deadline(), kStart + milliseconds{1500} + seconds{2});
}

TEST(RetransmissionTimer, FollowsTheRoundTripTimeWithinBounds) {
  const RetransmissionTimers settings;
  const auto first_timeout = [&](Duration rtt) {
    RetransmissionTimer timer(settings);
    timer.set_rtt(rtt);
    timer.start(kStart);
    return *timer.deadline() - kStart;
  };
  EXPECT_EQ(first_timeout(milliseconds{100}), milliseconds{200});
  EXPECT_EQ(first_timeout(milliseconds{300}), milliseconds{600});
  EXPECT_EQ(first_timeout(milliseconds{1}), RetransmissionTimers::kMinimumInitial);
  EXPECT_EQ(first_timeout(Duration::zero()), RetransmissionTimers::kMinimumInitial);
  EXPECT_EQ(first_timeout(seconds{30}), RetransmissionTimers::kMaximumInitial);
  EXPECT_EQ(first_timeout(Duration::max()), RetransmissionTimers::kMaximumInitial);
  EXPECT_EQ(first_timeout(Duration::min()), RetransmissionTimers::kMinimumInitial);
}

TEST(RetransmissionTimer, NoTimeoutIsLongerThanTheMaximum) {
  const RetransmissionTimers settings{.initial = milliseconds{100}, .maximum = milliseconds{400}};
  RetransmissionTimer timer(settings);
  timer.set_rtt(seconds{1});
  EXPECT_EQ(timeouts(timer, 2), std::vector<Duration>(2, milliseconds{400}));
}

}  // namespace
}  // namespace sluice::dtls::flight
