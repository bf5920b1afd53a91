#include <sluice/rtp/reception.h>

#include <gtest/gtest.h>

#include <initializer_list>

namespace sluice::rtp {
namespace {

using std::chrono::milliseconds;

constexpr Instant kArrival{std::chrono::seconds{100}};
constexpr Ssrc kSource{5};

Arrival receive(Reception& reception, int sequence_number) {
  return reception.on_packet(SequenceNumber{static_cast<std::uint16_t>(sequence_number)},
                             Timestamp{0}, kArrival);
}

Reception after(std::initializer_list<int> sequence_numbers) {
  Reception reception({});
  for (const int sequence_number : sequence_numbers) receive(reception, sequence_number);
  return reception;
}

TEST(RtpReception, CountsLossAcrossTheWrap) {
  auto reception = after({65533, 65534, 2, 3});  // 65535, 0 and 1 are lost
  const auto block = reception.report_block(kSource, kArrival);
  EXPECT_EQ(block.ssrc, kSource);
  EXPECT_EQ(block.packets_lost, 3);
  EXPECT_EQ(block.fraction_lost, 3 * 256 / 7);
  EXPECT_EQ(block.highest_sequence_number, 65539U);
  // In the new interval nothing was lost.
  receive(reception, 4);
  EXPECT_EQ(reception.report_block(kSource, kArrival).fraction_lost, 0);
}

TEST(RtpReception, LateAndRepeatedPacketsDoNotMoveTheHighest) {
  auto reception = after({10, 12});
  EXPECT_EQ(receive(reception, 11), Arrival::late);
  EXPECT_EQ(receive(reception, 11), Arrival::late);
  const auto block = reception.report_block(kSource, kArrival);
  EXPECT_EQ(block.highest_sequence_number, 12U);
  EXPECT_EQ(block.packets_lost, -1);
  EXPECT_EQ(block.fraction_lost, 0);
}

// Appendix A.1: MAX_DROPOUT is 3000, MAX_MISORDER 100.
TEST(RtpReception, JumpsAreNotCountedUntilTheyGoOn) {
  auto reception = after({1000});
  EXPECT_EQ(receive(reception, 1000 + 2999), Arrival::in_order);
  EXPECT_EQ(receive(reception, 3999 + 3000), Arrival::jump);
  EXPECT_EQ(receive(reception, 3999 - 99), Arrival::late);
  EXPECT_EQ(receive(reception, 3999 - 100), Arrival::jump);
  EXPECT_EQ(reception.received(), 3U);
  EXPECT_EQ(receive(reception, 3999 - 99), Arrival::late);
  EXPECT_EQ(receive(reception, 20000), Arrival::jump);
  EXPECT_EQ(reception.highest_sequence_number(), 3999U);
  EXPECT_EQ(receive(reception, 20001), Arrival::in_order);
  EXPECT_EQ(reception.highest_sequence_number(), 20001U);
  EXPECT_EQ(reception.received(), 1U);
  EXPECT_EQ(reception.lost(), 0);
}

TEST(RtpReception, ProbationWantsPacketsInSequence) {
  Reception reception({.min_sequential = 2});
  EXPECT_EQ(receive(reception, 5), Arrival::probation);
  EXPECT_EQ(receive(reception, 7), Arrival::probation);
  EXPECT_FALSE(reception.started());
  EXPECT_EQ(receive(reception, 8), Arrival::in_order);
  EXPECT_TRUE(reception.started());
  EXPECT_EQ(reception.received(), 1U);
}

TEST(RtpReception, JitterFollowsTheTransitTime) {
  Reception even({});
  Reception uneven({});
  for (int i = 0; i < 200; ++i) {
    const auto number = SequenceNumber{static_cast<std::uint16_t>(i)};
    const auto timestamp = Timestamp{static_cast<std::uint32_t>(i) * 3000};  // 30 frames per second
    const auto due = kArrival + Duration{i * 1'000'000LL / 30};
    even.on_packet(number, timestamp, due);
    uneven.on_packet(number, timestamp, due + milliseconds{i % 2 == 0 ? 0 : 10});
  }
  EXPECT_LE(even.report_block(kSource, kArrival).jitter, 3U);
  EXPECT_NEAR(uneven.report_block(kSource, kArrival).jitter, 900, 50);  // 10 ms of 90 kHz
  EXPECT_NEAR(static_cast<double>(uneven.jitter().count()), 10'000, 600);
}

// A clock that counts from 1970, and timestamps that wrap around, cause no jump.
TEST(RtpReception, JitterSurvivesLargeNumbers) {
  Reception reception({});
  Instant now{std::chrono::seconds{1'800'000'000}};
  std::uint32_t timestamp = 0xffffff00;
  for (int i = 0; i < 10; ++i) {
    reception.on_packet(SequenceNumber{static_cast<std::uint16_t>(i)}, Timestamp{timestamp}, now);
    now += milliseconds{10};
    timestamp += 900;
  }
  EXPECT_EQ(reception.report_block(kSource, now).jitter, 0U);
}

TEST(RtpReception, DelaySinceTheSenderReport) {
  auto reception = after({1});
  EXPECT_EQ(reception.report_block(kSource, kArrival).delay_since_last, CompactNtp{0});
  reception.on_sender_report(SenderReport{.ntp_time = NtpTime{0x1111222233334444}}, kArrival);
  const auto block = reception.report_block(kSource, kArrival + milliseconds{250});
  EXPECT_EQ(block.last_sender_report, CompactNtp{0x22223333});
  EXPECT_EQ(block.delay_since_last, CompactNtp{16384});
}

TEST(RtpReception, WithoutPacketsNothingIsLost) {
  Reception reception({});
  const auto block = reception.report_block(kSource, kArrival);
  EXPECT_EQ(block.packets_lost, 0);
  EXPECT_EQ(block.fraction_lost, 0);
}

}  // namespace
}  // namespace sluice::rtp
