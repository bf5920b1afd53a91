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

// Whatever has come before, one that goes on from the state of another reports the same.
TEST(RtpReception, GoesOnFromAState) {
  const std::initializer_list<int> histories[] = {
      {}, {7}, {65533, 65534, 2, 3}, {10, 12, 11, 11}, {1, 20000}};
  for (const auto& history : histories) {
    for (const std::uint32_t min_sequential : {1U, 2U}) {
      Reception before({.min_sequential = min_sequential});
      for (const int number : history) receive(before, number);
      static_cast<void>(before.report_block(kSource, kArrival));
      before.on_sender_report(CompactNtp{77}, kArrival);
      // The clock of the next process is another one.
      constexpr Instant kLater{std::chrono::seconds{5}};
      Reception after({.min_sequential = min_sequential},
                      before.state(kArrival + milliseconds{300}), kLater);
      for (const int number : {20001, 20002}) {
        EXPECT_EQ(receive(after, number), receive(before, number));
      }
      const auto expected = before.report_block(kSource, kArrival + milliseconds{500});
      const auto block = after.report_block(kSource, kLater + milliseconds{200});
      EXPECT_EQ(block.packets_lost, expected.packets_lost);
      EXPECT_EQ(block.fraction_lost, expected.fraction_lost);
      EXPECT_EQ(block.highest_sequence_number, expected.highest_sequence_number);
      EXPECT_EQ(block.last_sender_report, expected.last_sender_report);
      EXPECT_EQ(block.delay_since_last, expected.delay_since_last);
      EXPECT_EQ(after.received(), before.received());
    }
  }
}

TEST(RtpReception, KeepsItsJitterOverAMove) {
  Reception before({.clock_rate = 1000});
  before.on_packet(SequenceNumber{1}, Timestamp{0}, kArrival);
  before.on_packet(SequenceNumber{2}, Timestamp{0}, kArrival + milliseconds{160});
  ASSERT_GT(before.jitter(), Duration::zero());
  constexpr Instant kOther{std::chrono::hours{9}};
  Reception after({.clock_rate = 1000}, before.state(kArrival), kOther);
  EXPECT_EQ(after.jitter(), before.jitter());
  after.on_packet(SequenceNumber{3}, Timestamp{0}, kOther);
  EXPECT_EQ(after.jitter(), before.jitter()) << "the first packet under another clock";
}

TEST(RtpReception, TakesAnyState) {
  const ReceptionState most{.base = UINT32_MAX,
                            .received = UINT64_MAX,
                            .expected_before = UINT32_MAX,
                            .jitter = UINT64_MAX,
                            .report = CompactNtp{1},
                            .since_report = Duration::max()};
  for (const auto since : {Duration::max(), Duration::min()}) {
    auto state = most;
    state.since_report = since;
    Reception reception({}, state, kArrival);
    receive(reception, 1);
    const auto block = reception.report_block(kSource, kArrival);
    EXPECT_EQ(block.delay_since_last, to_compact(since));
  }
}

TEST(RtpReception, TakesAnyCountsOfAState) {
  const std::uint64_t counts[] = {0, 1, UINT64_MAX / 2, UINT64_MAX / 2 + 1, UINT64_MAX};
  for (const std::uint64_t received : counts) {
    for (const std::uint64_t before : counts) {
      for (const std::uint32_t expected : {0U, 1U, UINT32_MAX}) {
        Reception reception({},
                            {.highest = expected,
                             .received = received,
                             .expected_before = UINT32_MAX - expected,
                             .received_before = before},
                            kArrival);
        const auto block = reception.report_block(kSource, kArrival);
        EXPECT_GE(block.packets_lost, -0x800000);
        EXPECT_LE(block.packets_lost, 0x7fffff);
        receive(reception, 1);
        reception.report_block(kSource, kArrival);
        static_cast<void>(reception.lost());
      }
    }
  }
}

TEST(RtpReception, WithoutPacketsNothingIsLost) {
  Reception reception({});
  const auto block = reception.report_block(kSource, kArrival);
  EXPECT_EQ(block.packets_lost, 0);
  EXPECT_EQ(block.fraction_lost, 0);
}

}  // namespace
}  // namespace sluice::rtp
