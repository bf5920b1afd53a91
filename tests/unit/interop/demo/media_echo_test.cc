#include "demo/media_echo.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/interop/demo/bytes_of.h"

namespace sluice::interop::demo {
namespace {

using dtls::Instant;
using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::uint32_t kAudioSource = 0x0a;
constexpr std::uint32_t kVideoSource = 0x0b;
constexpr std::uint32_t kOwnAudio = 0x1a;
constexpr std::uint32_t kOwnVideo = 0x1b;
constexpr Instant kStart{std::chrono::seconds{100}};

Buffer rtp(std::uint8_t payload_type, std::uint32_t ssrc, std::uint16_t sequence_number = 1,
           std::uint32_t timestamp = 0) {
  Buffer packet = bytes_of("80");
  append_u8(packet, payload_type);
  append_u16(packet, sequence_number);
  append_u32(packet, timestamp);
  append_u32(packet, ssrc);
  append(packet, bytes_of("01 02 03 04"));
  return packet;
}

Buffer sender_report(std::uint32_t sender, std::uint64_t ntp, Bytes blocks = {}) {
  Buffer packet;
  append_sender_report(packet, {.sender = sender, .ntp_timestamp = ntp, .rtp_timestamp = 42}, 9, 99,
                       blocks);
  return packet;
}

template <class Item>
std::vector<Item> items_of(const std::vector<Buffer>& compounds) {
  std::vector<Item> found;
  for (const auto& compound : compounds) {
    for (const auto& item : read_rtcp(compound)) {
      if (const auto* value = std::get_if<Item>(&item)) found.push_back(*value);
    }
  }
  return found;
}

class MediaEchoTest : public testing::Test {
 protected:
  static std::vector<EchoStreamOptions> streams() {
    return {{.mid = "a",
             .mid_extension = 4,
             .payload_type = 111,
             .clock_rate = 48000,
             .own_ssrc = kOwnAudio},
            {.mid = "v",
             .mid_extension = 4,
             .payload_type = 96,
             .clock_rate = 90000,
             .own_ssrc = kOwnVideo}};
  }
  void play(std::uint8_t payload_type, std::uint32_t ssrc) {
    auto packet = rtp(payload_type, ssrc);
    ASSERT_TRUE(echo_.echo_rtp(packet, kStart));
  }

  MediaEcho echo_{streams()};
};

TEST_F(MediaEchoTest, OnlyTheSsrcChanges) {
  auto packet = rtp(96, kVideoSource, 77, 1234);
  ASSERT_TRUE(echo_.echo_rtp(packet, kStart));
  EXPECT_EQ(packet, rtp(96, kOwnVideo, 77, 1234));
  EXPECT_EQ(echo_.statistics().rtp_echoed, 1U);
}

TEST_F(MediaEchoTest, UnknownPayloadTypeIsDropped) {
  auto packet = rtp(97, kVideoSource);
  EXPECT_FALSE(echo_.echo_rtp(packet, kStart));
  auto garbage = bytes_of("80 60");
  EXPECT_FALSE(echo_.echo_rtp(garbage, kStart));
  EXPECT_EQ(echo_.statistics().rtp_dropped, 2U);
}

// One source per section: a second one with the same payload type would mix two streams under one
// SSRC.
TEST_F(MediaEchoTest, SecondSourceIsDropped) {
  play(96, kVideoSource);
  auto other = rtp(96, 0x99);
  EXPECT_FALSE(echo_.echo_rtp(other, kStart));
  play(96, kVideoSource);
}

TEST_F(MediaEchoTest, MidTellsSectionsOfOnePayloadTypeApart) {
  auto two = streams();
  two[0].payload_type = 96;
  MediaEcho videos{two};
  // Without a MID the packet could belong to either section.
  auto bare = rtp(96, kVideoSource);
  EXPECT_FALSE(videos.echo_rtp(bare, kStart));
  auto packet = bytes_of("90 60 00 01 00 00 00 00 00 00 00 0b be de 00 01 40 76 00 00 01 02");
  ASSERT_TRUE(videos.echo_rtp(packet, kStart));
  EXPECT_EQ(load_u32(packet, 8), kOwnVideo);
  // Now the SSRC identifies the section.
  auto later = rtp(96, kVideoSource);
  ASSERT_TRUE(videos.echo_rtp(later, kStart));
  EXPECT_EQ(load_u32(later, 8), kOwnVideo);
}

TEST_F(MediaEchoTest, ReceiveOnlySectionIsNotEchoed) {
  auto options = streams();
  options[1].send = false;
  MediaEcho half{options};
  auto packet = rtp(96, kVideoSource);
  EXPECT_FALSE(half.echo_rtp(packet, kStart));
  const auto answers = half.answer_rtcp(sender_report(kVideoSource, 0x123456789abcdef0), kStart);
  ASSERT_THAT(answers, SizeIs(1));
  EXPECT_EQ(load_u8(answers[0], 1), 201);  // a receiver report, as no RTP was sent
  EXPECT_THAT(items_of<ReportBlock>(answers), SizeIs(1));
}

TEST_F(MediaEchoTest, KeyFrameRequestReachesTheSource) {
  play(96, kVideoSource);
  Buffer request;
  append_feedback(request, 0x55, PictureLossIndication{kOwnVideo});
  const auto answers = echo_.answer_rtcp(request, kStart);
  ASSERT_THAT(answers, SizeIs(1));
  // RFC 3550 section 6.1: a compound starts with a report.
  EXPECT_EQ(load_u8(answers[0], 1), 201);
  const auto requests = items_of<PictureLossIndication>(answers);
  ASSERT_THAT(requests, SizeIs(1));
  EXPECT_EQ(requests[0].media_ssrc, kVideoSource);
  EXPECT_EQ(echo_.statistics().feedback_forwarded, 1U);
}

TEST_F(MediaEchoTest, FullIntraRequestKeepsItsNumber) {
  play(96, kVideoSource);
  Buffer request;
  append_feedback(request, 0x55, FullIntraRequest{.media_ssrc = kOwnVideo, .sequence_number = 9});
  const auto requests = items_of<FullIntraRequest>(echo_.answer_rtcp(request, kStart));
  ASSERT_THAT(requests, SizeIs(1));
  EXPECT_EQ(requests[0].media_ssrc, kVideoSource);
  EXPECT_EQ(requests[0].sequence_number, 9);
}

TEST_F(MediaEchoTest, NackKeepsItsEntries) {
  play(111, kAudioSource);
  Buffer request;
  append_feedback(request, 0x55, GenericNack{.media_ssrc = kOwnAudio, .entries = {0x00070003}});
  const auto requests = items_of<GenericNack>(echo_.answer_rtcp(request, kStart));
  ASSERT_THAT(requests, SizeIs(1));
  EXPECT_EQ(requests[0].media_ssrc, kAudioSource);
  EXPECT_THAT(requests[0].entries, ElementsAre(0x00070003U));
}

TEST_F(MediaEchoTest, FeedbackAboutOthersIsNoBusinessOfOurs) {
  Buffer request;
  append_feedback(request, 0x55, PictureLossIndication{kOwnVideo});  // no source yet
  EXPECT_THAT(echo_.answer_rtcp(request, kStart), IsEmpty());
  play(96, kVideoSource);
  Buffer foreign;
  append_feedback(foreign, 0x55, PictureLossIndication{kVideoSource});
  EXPECT_THAT(echo_.answer_rtcp(foreign, kStart), IsEmpty());
}

TEST_F(MediaEchoTest, SenderReportComesBackUnderOurSsrc) {
  play(96, kVideoSource);
  const auto answers = echo_.answer_rtcp(sender_report(kVideoSource, 0x1111222233334444), kStart);
  const auto reports = items_of<SenderReport>(answers);
  ASSERT_THAT(reports, SizeIs(1));
  EXPECT_EQ(reports[0].sender, kOwnVideo);
  EXPECT_EQ(reports[0].ntp_timestamp, 0x1111222233334444U);
  EXPECT_EQ(reports[0].rtp_timestamp, 42U);
  EXPECT_EQ(load_u32(answers[0], 20), 1U);  // packets
  EXPECT_EQ(load_u32(answers[0], 24), 4U);  // octets of payload
  const auto blocks = items_of<ReportBlock>(answers);
  ASSERT_THAT(blocks, SizeIs(1));
  EXPECT_EQ(blocks[0].ssrc, kVideoSource);
  EXPECT_EQ(blocks[0].last_sender_report, 0x22223333U);
  EXPECT_EQ(blocks[0].delay_since_last, 0U);
}

TEST_F(MediaEchoTest, ReportStandsBeforeFeedback) {
  play(96, kVideoSource);
  Buffer compound;
  append_feedback(compound, 0x55, PictureLossIndication{kOwnVideo});
  append(compound, sender_report(kVideoSource, 1));
  const auto answers = echo_.answer_rtcp(compound, kStart);
  ASSERT_THAT(answers, SizeIs(1));
  EXPECT_EQ(load_u8(answers[0], 1), 200);
  EXPECT_THAT(items_of<PictureLossIndication>(answers), SizeIs(1));
}

TEST_F(MediaEchoTest, RoundTripFromTheReportBlock) {
  play(96, kVideoSource);
  echo_.answer_rtcp(sender_report(kVideoSource, 0x1111222233334444), kStart);
  Buffer block;
  append_u32(block, kOwnVideo);
  for (int i = 0; i < 3; ++i) append_u32(block, 0);
  append_u32(block, 0x22223333);
  append_u32(block, to_ntp_units(milliseconds{500}));
  Buffer report;
  append_receiver_report(report, 0x55, block);
  EXPECT_FALSE(echo_.statistics().rtt);
  echo_.answer_rtcp(report, kStart + milliseconds{530});
  ASSERT_TRUE(echo_.statistics().rtt);
  EXPECT_NEAR(static_cast<double>(echo_.statistics().rtt->count()), 30'000, 20);
}

TEST_F(MediaEchoTest, AnswersAreBounded) {
  play(96, kVideoSource);
  Buffer request;
  for (int i = 0; i < 200; ++i) {
    append_feedback(request, 0x55, FullIntraRequest{.media_ssrc = kOwnVideo, .sequence_number = 1});
  }
  const auto answers = echo_.answer_rtcp(request, kStart);
  ASSERT_THAT(answers, SizeIs(1));
  EXPECT_LE(answers[0].size(), 1100U);
}

// ---- Reception

struct Block {
  std::uint32_t fraction;
  std::int32_t lost;
  std::uint32_t highest;
  std::uint32_t jitter;
  std::uint32_t delay;
};

Block report(Reception& reception, Instant now) {
  Buffer out;
  reception.append_report_block(out, 1, now);
  const auto word = load_u32(out, 4);
  return {.fraction = word >> 24,
          .lost = static_cast<std::int32_t>(word << 8) >> 8,
          .highest = load_u32(out, 8),
          .jitter = load_u32(out, 12),
          .delay = load_u32(out, 20)};
}

TEST(Reception, CountsLossAcrossTheWrap) {
  Reception reception{90000};
  for (const int number : {65533, 65534, 2, 3}) {  // 65535, 0 and 1 are lost
    reception.packet(static_cast<std::uint16_t>(number), 0, kStart);
  }
  const auto block = report(reception, kStart);
  EXPECT_EQ(block.lost, 3);
  EXPECT_EQ(block.fraction, 3U * 256 / 7);
  EXPECT_EQ(block.highest, 65539U);
  // In the new interval nothing was lost.
  reception.packet(4, 0, kStart);
  EXPECT_EQ(report(reception, kStart).fraction, 0U);
}

TEST(Reception, LateAndRepeatedPacketsDoNotMoveTheHighest) {
  Reception reception{90000};
  for (const int number : {10, 12, 11, 11}) {
    reception.packet(static_cast<std::uint16_t>(number), 0, kStart);
  }
  const auto block = report(reception, kStart);
  EXPECT_EQ(block.highest, 12U);
  EXPECT_EQ(block.lost, -1);
  EXPECT_EQ(block.fraction, 0U);
}

TEST(Reception, JitterFollowsTheTransitTime) {
  Reception even{90000};
  Reception uneven{90000};
  for (int i = 0; i < 200; ++i) {
    const auto number = static_cast<std::uint16_t>(i);
    const auto timestamp = static_cast<std::uint32_t>(i) * 3000;  // 30 frames per second
    const auto due = kStart + dtls::Duration{i * 1'000'000LL / 30};
    even.packet(number, timestamp, due);
    uneven.packet(number, timestamp, due + milliseconds{i % 2 == 0 ? 0 : 10});
  }
  EXPECT_LE(report(even, kStart).jitter, 3U);
  EXPECT_NEAR(report(uneven, kStart).jitter, 900, 50);  // 10 ms of 90 kHz
}

TEST(Reception, DelaySinceTheSenderReport) {
  Reception reception{90000};
  reception.packet(1, 0, kStart);
  EXPECT_EQ(report(reception, kStart).delay, 0U);
  reception.sender_report(0x1234, kStart);
  EXPECT_EQ(report(reception, kStart + milliseconds{250}).delay, 16384U);
}

}  // namespace
}  // namespace sluice::interop::demo
