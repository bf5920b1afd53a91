#include <sluice/rtp/report_timer.h>

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace sluice::rtp {
namespace {

using namespace std::chrono_literals;

constexpr Instant kStart{100s};
// Random bits for the middle of the range: the interval is the calculated one / 1.218.
constexpr std::uint32_t kMiddle = 0x80008000;

Duration compensated(Duration interval) {
  return Duration{static_cast<std::int64_t>(static_cast<double>(interval.count()) / 1.21828)};
}
void expect_about(Duration actual, Duration expected) {
  EXPECT_NEAR(static_cast<double>(actual.count()), static_cast<double>(expected.count()),
              static_cast<double>(expected.count()) / 1000);
}

TEST(RtpReportTimer, MinimumOfAvpIs5sAndHalfOfItAtFirst) {
  ReportTimer timer({.feedback_profile = false}, kStart, kMiddle);
  expect_about(timer.next_timeout() - kStart, compensated(2500ms));
  const Instant first = timer.next_timeout();
  EXPECT_EQ(timer.handle_timeout(first - 1us, kMiddle), ReportDue::nothing);
  EXPECT_EQ(timer.handle_timeout(first, kMiddle), ReportDue::regular);
  expect_about(timer.next_timeout() - first, compensated(5s));
}

TEST(RtpReportTimer, IntervalIsRandomFromHalfToOneAndAHalf) {
  const ReportTimer shortest({.feedback_profile = false}, kStart, 0);
  const ReportTimer longest({.feedback_profile = false}, kStart, 0xffffffff);
  expect_about(shortest.next_timeout() - kStart, compensated(1250ms));
  expect_about(longest.next_timeout() - kStart, compensated(3750ms));
}

TEST(RtpReportTimer, AvpfFollowsItsRegularInterval) {
  ReportTimer timer({.regular_interval = 300ms}, kStart, kMiddle);
  expect_about(timer.next_timeout() - kStart, compensated(1s));
  const Instant first = timer.next_timeout();
  EXPECT_EQ(timer.handle_timeout(first, kMiddle), ReportDue::regular);
  expect_about(timer.next_timeout() - first, compensated(300ms));
}

// RFC 3550 section 6.2: the bandwidth of RTCP does not grow with the members.
TEST(RtpReportTimer, ManyMembersReportLessOften) {
  ReportTimer timer({.rtcp_bandwidth = 1000, .regular_interval = 0us, .first_size = 100}, kStart,
                    kMiddle);
  timer.set_membership({.members = 1000, .senders = 500});
  const Instant first = timer.next_timeout();
  // Reconsidered: more members have come.
  EXPECT_EQ(timer.handle_timeout(first, kMiddle), ReportDue::nothing);
  expect_about(timer.next_timeout() - kStart, compensated(100s));
  // A quarter of the bandwidth is for the senders, if they are few.
  timer.set_membership({.members = 1000, .senders = 10, .is_sender = true});
  EXPECT_EQ(timer.handle_timeout(timer.next_timeout(), kMiddle), ReportDue::regular);
  const Instant second = kStart + compensated(100s);
  expect_about(timer.next_timeout() - second, compensated(4s));
  // Larger compounds take longer: a sixteenth of the difference.
  timer.on_compound(1700);
  EXPECT_EQ(timer.handle_timeout(timer.next_timeout(), kMiddle), ReportDue::nothing);
  expect_about(timer.next_timeout() - second, compensated(8s));
}

TEST(RtpReportTimer, FeedbackBetweenTwoIsImmediate) {
  ReportTimer timer({}, kStart, kMiddle);
  const Instant now = kStart + 10ms;
  EXPECT_EQ(timer.request_feedback(now, kMiddle), now);
  EXPECT_EQ(timer.next_timeout(), now);
  EXPECT_EQ(timer.handle_timeout(now, kMiddle), ReportDue::early);
  EXPECT_EQ(timer.handle_timeout(now, kMiddle), ReportDue::nothing);
}

// RFC 4585 section 3.5.2: after early feedback the next comes as late as two regular compounds.
TEST(RtpReportTimer, EarlyFeedbackIsLimited) {
  // 128 bytes of two members at 1,000 bytes/s: 256 ms.
  ReportTimer timer({.rtcp_bandwidth = 1000, .regular_interval = 20s}, kStart, kMiddle);
  const Instant regular = timer.next_timeout();
  EXPECT_EQ(timer.handle_timeout(regular, kMiddle), ReportDue::regular);
  timer.request_feedback(regular, kMiddle);
  EXPECT_EQ(timer.handle_timeout(regular, kMiddle), ReportDue::early);
  const Instant second = timer.request_feedback(regular + 1ms, kMiddle);
  expect_about(second - regular, 2 * compensated(256ms));
  EXPECT_EQ(timer.handle_timeout(second, kMiddle), ReportDue::early);
}

TEST(RtpReportTimer, RegularCompoundTakesTheFeedbackAlong) {
  ReportTimer timer({.rtcp_bandwidth = 1, .regular_interval = 0us}, kStart, kMiddle);
  const Instant early = kStart + 1ms;
  timer.request_feedback(early, kMiddle);
  EXPECT_EQ(timer.handle_timeout(early, kMiddle), ReportDue::early);
  const Instant regular = timer.next_timeout();
  EXPECT_EQ(timer.request_feedback(early + 1ms, kMiddle), regular);
  EXPECT_EQ(timer.handle_timeout(regular, kMiddle), ReportDue::regular);
  EXPECT_GT(timer.next_timeout(), regular);
}

TEST(RtpReportTimer, FeedbackAmongManyIsDithered) {
  ReportTimer timer({.rtcp_bandwidth = 1000}, kStart, kMiddle);
  timer.set_membership({.members = 10, .senders = 10});
  const Instant at = timer.request_feedback(kStart, 0x80004000);
  // A quarter of the range, half of the interval of 1.28 s.
  expect_about(at - kStart, compensated(1280ms) / 8);
}

TEST(RtpReportTimer, AvpSendsNoEarlyFeedback) {
  ReportTimer timer({.feedback_profile = false}, kStart, kMiddle);
  EXPECT_EQ(timer.request_feedback(kStart + 1ms, kMiddle), timer.next_timeout());
  EXPECT_EQ(timer.handle_timeout(kStart + 1ms, kMiddle), ReportDue::nothing);
}

// Over many intervals RTCP takes the share of the bandwidth that it may.
TEST(RtpReportTimer, MeetsTheBandwidth) {
  constexpr std::uint32_t kSeed = 11;
  std::mt19937 engine(kSeed);
  const auto random = [&engine] { return static_cast<std::uint32_t>(engine()); };
  ReportTimer timer({.rtcp_bandwidth = 1000, .regular_interval = 0us, .first_size = 200}, kStart,
                    random());
  Instant now = kStart;
  int sent = 0;
  while (now < kStart + 1000s) {
    now = timer.next_timeout();
    if (timer.handle_timeout(now, random()) != ReportDue::nothing) {
      timer.on_compound(200);
      ++sent;
    }
  }
  // Two members share 1,000 bytes/s: 2.5 compounds of 200 bytes a second for each.
  EXPECT_NEAR(sent, 2500, 150) << "seed " << kSeed;
}

}  // namespace
}  // namespace sluice::rtp
