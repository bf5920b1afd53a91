#include "load/stream_check.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <span>

namespace sluice::interop::load {
namespace {

using namespace std::chrono_literals;

constexpr dtls::Instant kBegin{1h};

// What the publisher has sent, and what the server has made of it.
struct Sent {
  std::uint64_t number = 0;
  std::uint32_t source = 1;
  std::uint16_t sequence_offset = 0;
  std::uint32_t timestamp_offset = 0;
  dtls::Duration delay = 10ms;
  bool is_key_frame = false;
};

class StreamCheckTest : public testing::Test {
 protected:
  // Packets leave every 20 ms.
  void come(const Sent& sent, int changed_byte = -1) {
    const dtls::Instant sent_at = kBegin + sent.number * 20ms;
    const auto timestamp = static_cast<std::uint32_t>(sent.number * 1800);
    std::array<std::byte, 200> payload{};
    const std::size_t front = write_front(
        {.begins_frame = true, .is_key_frame = sent.is_key_frame, .picture = 1}, payload);
    write_stamp({.source = SourceId{sent.source},
                 .number = sent.number,
                 .sent = sent_at,
                 .media_time = rtp::Timestamp{timestamp}},
                std::span(payload).subspan(front));
    if (changed_byte >= 0) payload.at(static_cast<std::size_t>(changed_byte)) ^= std::byte{1};
    const rtp::Packet packet{
        .sequence_number =
            rtp::SequenceNumber{static_cast<std::uint16_t>(sent.number + sent.sequence_offset)},
        .timestamp = rtp::Timestamp{timestamp + sent.timestamp_offset},
        .payload = payload};
    check_.on_packet(packet, sent_at + sent.delay);
  }
  void come_all(std::uint64_t first, std::uint64_t last) {
    for (auto number = first; number <= last; ++number) come({.number = number});
  }

  StreamCheck check_{SectionKind::video};
};

TEST_F(StreamCheckTest, AllIsWell) {
  come({.number = 70'000, .is_key_frame = true});
  come_all(70'001, 70'099);
  const auto counts = check_.counts();
  EXPECT_EQ(counts.packets, 100U);
  EXPECT_EQ(counts.unique, 100U);
  EXPECT_EQ(counts.bytes, 20'000U);
  EXPECT_EQ(counts.key_frames, 1U);
  EXPECT_EQ(counts.lost + counts.duplicates + counts.reordered + counts.corrupt, 0U);
  EXPECT_EQ(counts.sequence_breaks + counts.timestamp_breaks + counts.source_changes, 0U);
  EXPECT_EQ(counts.delays.most(), 10ms);
  EXPECT_EQ(counts.longest_gap, 20ms);
  EXPECT_EQ(check_.traffic().packets, 100U);
}

TEST_F(StreamCheckTest, AGapIsALoss) {
  come_all(0, 9);
  come_all(15, 20);
  EXPECT_EQ(check_.counts().lost, 5U);
  EXPECT_EQ(check_.counts().sequence_breaks, 0U);
  EXPECT_EQ(check_.counts().longest_gap, 120ms);
}

// A jitter buffer would see no gap.
TEST_F(StreamCheckTest, AServerCanNotHideALoss) {
  come_all(0, 9);
  come({.number = 12, .sequence_offset = static_cast<std::uint16_t>(-2)});
  come({.number = 13, .sequence_offset = static_cast<std::uint16_t>(-2)});
  EXPECT_EQ(check_.counts().lost, 2U);
  EXPECT_EQ(check_.counts().sequence_breaks, 1U);
  EXPECT_EQ(check_.counts().timestamp_breaks, 0U);
}

TEST_F(StreamCheckTest, TimestampsGoOnAsThePublishers) {
  come({.number = 0, .timestamp_offset = 5});
  come({.number = 1, .timestamp_offset = 5});
  come({.number = 2, .timestamp_offset = 6});
  EXPECT_EQ(check_.counts().timestamp_breaks, 1U);
  EXPECT_EQ(check_.counts().sequence_breaks, 0U);
}

TEST_F(StreamCheckTest, WhatWasSentLastIsMissed) {
  come_all(0, 9);
  EXPECT_EQ(check_.counts().lost, 0U);
  EXPECT_EQ(check_.counts({{SourceId{1}, 13}}).lost, 3U);
  EXPECT_EQ(check_.counts({{SourceId{2}, 13}}).lost, 0U) << "another source";
}

TEST_F(StreamCheckTest, RepetitionsAndTheOrder) {
  come_all(0, 5);
  come({.number = 5});
  come({.number = 8});
  come({.number = 7});
  come({.number = 7});
  const auto counts = check_.counts();
  EXPECT_EQ(counts.packets, 10U);
  EXPECT_EQ(counts.unique, 8U);
  EXPECT_EQ(counts.duplicates, 2U);
  EXPECT_EQ(counts.reordered, 1U);
  EXPECT_EQ(counts.lost, 1U);
}

TEST_F(StreamCheckTest, AChangedPayloadIsCorrupt) {
  come_all(0, 5);
  come({.number = 6}, 100);
  come_all(7, 9);
  EXPECT_EQ(check_.counts().corrupt, 1U);
  EXPECT_EQ(check_.counts().lost, 1U) << "it is of no use";
  EXPECT_EQ(check_.counts().unique, 9U);
}

TEST_F(StreamCheckTest, PaddingAloneIsNoPacket) {
  check_.on_packet({}, kBegin);
  EXPECT_EQ(check_.counts().packets, 0U);
  const std::array payload{std::byte{0x10}};
  check_.on_packet({.payload = payload}, kBegin);
  EXPECT_EQ(check_.counts().corrupt, 1U);
}

// Its numbers begin anew, and what was lost of the one before stays lost.
TEST_F(StreamCheckTest, AnotherPublisherTakesThePlace) {
  come_all(0, 3);
  come({.number = 5});
  come({.number = 1000, .source = 2, .sequence_offset = 77, .timestamp_offset = 99});
  come({.number = 1003, .source = 2, .sequence_offset = 77, .timestamp_offset = 99});
  const auto counts = check_.counts();
  EXPECT_EQ(counts.source_changes, 1U);
  EXPECT_EQ(counts.lost, 1U + 2U);
  EXPECT_EQ(counts.sequence_breaks + counts.timestamp_breaks, 0U);
}

TEST_F(StreamCheckTest, CountsAddUp) {
  come_all(0, 3);
  come({.number = 7, .delay = 30ms});
  ReceivedCounts sum = check_.counts();
  sum.add(check_.counts());
  EXPECT_EQ(sum.packets, 10U);
  EXPECT_EQ(sum.lost, 6U);
  EXPECT_EQ(sum.longest_gap, check_.counts().longest_gap);
  EXPECT_EQ(sum.delays.total(), 10U);
}

}  // namespace
}  // namespace sluice::interop::load
