#include "demo/media_echo.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "support/bytes.h"
#include "support/listed.h"

namespace sluice::interop::demo {
namespace {

using dtls::Instant;
using std::chrono::milliseconds;
using test::listed;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr rtp::Ssrc kAudioSource{0x0a};
constexpr rtp::Ssrc kVideoSource{0x0b};
constexpr rtp::Ssrc kOwnAudio{0x1a};
constexpr rtp::Ssrc kOwnVideo{0x1b};
constexpr rtp::Ssrc kReceiver{0x55};
constexpr Instant kStart{std::chrono::seconds{100}};

Buffer rtp_of(std::uint8_t payload_type, rtp::Ssrc ssrc, std::uint16_t sequence_number = 1,
              std::uint32_t timestamp = 0) {
  const auto payload = test::from_hex("01 02 03 04");
  Buffer packet(rtp::kFixedHeaderSize + payload.size());
  (void)rtp::write_packet({.payload_type = rtp::PayloadType{payload_type},
                           .sequence_number = rtp::SequenceNumber{sequence_number},
                           .timestamp = rtp::Timestamp{timestamp},
                           .ssrc = ssrc,
                           .payload = payload},
                          packet);
  return packet;
}

// A compound of these packets, in the reduced size.
template <class... Packets>
Buffer rtcp_of(const Packets&... packets) {
  Buffer bytes(8000);
  rtp::CompoundWriter writer(rtp::CompoundForm::reduced_size, bytes);
  EXPECT_TRUE((writer.add(packets) && ...));
  bytes.resize(writer.compound().size());
  return bytes;
}

rtp::SenderReport sender_report(rtp::Ssrc sender, std::uint64_t ntp) {
  return {.sender = sender,
          .ntp_time = rtp::NtpTime{ntp},
          .rtp_timestamp = rtp::Timestamp{42},
          .packets = 9,
          .octets = 99};
}

// The first packet of a compound, and the first of a type.
std::uint8_t first_type(const Buffer& compound) {
  return std::to_integer<std::uint8_t>(compound[1]);
}
template <class Packet>
std::optional<Packet> find(const Buffer& compound) {
  rtp::CompoundReader reader(compound);
  while (const auto packet = reader.next()) {
    if (!*packet) continue;
    if (const auto* found = std::get_if<Packet>(&**packet)) return *found;
  }
  return std::nullopt;
}

class MediaEchoTest : public testing::Test {
 protected:
  static std::vector<EchoStreamOptions> streams() {
    return {{.mid = "a",
             .mid_extension = rtp::ExtensionId{4},
             .payload_type = rtp::PayloadType{111},
             .clock_rate = 48000,
             .own_ssrc = kOwnAudio},
            {.mid = "v",
             .mid_extension = rtp::ExtensionId{4},
             .payload_type = rtp::PayloadType{96},
             .clock_rate = 90000,
             .own_ssrc = kOwnVideo}};
  }
  void play(std::uint8_t payload_type, rtp::Ssrc ssrc) {
    auto packet = rtp_of(payload_type, ssrc);
    ASSERT_TRUE(echo_.echo_rtp(packet, kStart));
  }

  MediaEcho echo_{streams()};
};

TEST_F(MediaEchoTest, OnlyTheSsrcChanges) {
  auto packet = rtp_of(96, kVideoSource, 77, 1234);
  ASSERT_TRUE(echo_.echo_rtp(packet, kStart));
  EXPECT_EQ(packet, rtp_of(96, kOwnVideo, 77, 1234));
  EXPECT_EQ(echo_.statistics().rtp_echoed, 1U);
}

TEST_F(MediaEchoTest, UnknownPayloadTypeIsDropped) {
  auto packet = rtp_of(97, kVideoSource);
  EXPECT_FALSE(echo_.echo_rtp(packet, kStart));
  auto garbage = test::from_hex("80 60");
  EXPECT_FALSE(echo_.echo_rtp(garbage, kStart));
  EXPECT_EQ(echo_.statistics().rtp_dropped, 2U);
}

// One source per section: a second one with the same payload type would mix two streams under one
// SSRC.
TEST_F(MediaEchoTest, SecondSourceIsDropped) {
  play(96, kVideoSource);
  auto other = rtp_of(96, rtp::Ssrc{0x99});
  EXPECT_FALSE(echo_.echo_rtp(other, kStart));
  play(96, kVideoSource);
}

TEST_F(MediaEchoTest, MidTellsSectionsOfOnePayloadTypeApart) {
  auto two = streams();
  two[0].payload_type = rtp::PayloadType{96};
  MediaEcho videos{two};
  // Without a MID the packet could belong to either section.
  auto bare = rtp_of(96, kVideoSource);
  EXPECT_FALSE(videos.echo_rtp(bare, kStart));
  auto packet = test::from_hex("90 60 00 01 00 00 00 00 00 00 00 0b be de 00 01 40 76 00 00 01 02");
  ASSERT_TRUE(videos.echo_rtp(packet, kStart));
  EXPECT_EQ(rtp::read_packet(packet)->ssrc, kOwnVideo);
  // Now the SSRC identifies the section.
  auto later = rtp_of(96, kVideoSource);
  ASSERT_TRUE(videos.echo_rtp(later, kStart));
  EXPECT_EQ(rtp::read_packet(later)->ssrc, kOwnVideo);
}

TEST_F(MediaEchoTest, ReceiveOnlySectionIsNotEchoed) {
  auto options = streams();
  options[1].send = false;
  MediaEcho half{options};
  auto packet = rtp_of(96, kVideoSource);
  EXPECT_FALSE(half.echo_rtp(packet, kStart));
  const auto answers =
      half.answer_rtcp(rtcp_of(sender_report(kVideoSource, 0x123456789abcdef0)), kStart);
  ASSERT_THAT(answers, SizeIs(1));
  const auto report = find<rtp::ReceiverReport>(answers[0]);  // as no RTP was sent
  ASSERT_TRUE(report);
  EXPECT_EQ(report->blocks.size(), 1U);
}

TEST_F(MediaEchoTest, KeyFrameRequestReachesTheSource) {
  play(96, kVideoSource);
  const auto answers = echo_.answer_rtcp(
      rtcp_of(rtp::PictureLossIndication{.sender = kReceiver, .media = kOwnVideo}), kStart);
  ASSERT_THAT(answers, SizeIs(1));
  // RFC 3550 section 6.1: a compound starts with a report and has a CNAME.
  EXPECT_EQ(first_type(answers[0]), 201);
  EXPECT_TRUE(find<rtp::SourceDescription>(answers[0]));
  const auto request = find<rtp::PictureLossIndication>(answers[0]);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->sender, kOwnVideo);
  EXPECT_EQ(request->media, kVideoSource);
  EXPECT_EQ(echo_.statistics().feedback_forwarded, 1U);
}

TEST_F(MediaEchoTest, FullIntraRequestKeepsItsNumber) {
  play(96, kVideoSource);
  const std::array entries = {rtp::FullIntraEntry{.media = kOwnVideo, .sequence_number = 9}};
  const auto answers = echo_.answer_rtcp(
      rtcp_of(rtp::FullIntraRequest{.sender = kReceiver,
                                    .entries = std::span<const rtp::FullIntraEntry>(entries)}),
      kStart);
  ASSERT_THAT(answers, SizeIs(1));
  const auto request = find<rtp::FullIntraRequest>(answers[0]);
  ASSERT_TRUE(request);
  EXPECT_THAT(listed(request->entries),
              ElementsAre(rtp::FullIntraEntry{.media = kVideoSource, .sequence_number = 9}));
}

TEST_F(MediaEchoTest, NackKeepsItsEntries) {
  play(111, kAudioSource);
  const std::array entries = {rtp::NackEntry{.lost = rtp::SequenceNumber{7}, .following = 3}};
  const auto answers = echo_.answer_rtcp(
      rtcp_of(rtp::GenericNack{.sender = kReceiver,
                               .media = kOwnAudio,
                               .entries = std::span<const rtp::NackEntry>(entries)}),
      kStart);
  ASSERT_THAT(answers, SizeIs(1));
  const auto nack = find<rtp::GenericNack>(answers[0]);
  ASSERT_TRUE(nack);
  EXPECT_EQ(nack->media, kAudioSource);
  EXPECT_THAT(listed(nack->entries), ElementsAre(entries[0]));
}

TEST_F(MediaEchoTest, FeedbackAboutOthersIsNoBusinessOfOurs) {
  const rtp::PictureLossIndication request{.sender = kReceiver, .media = kOwnVideo};
  EXPECT_THAT(echo_.answer_rtcp(rtcp_of(request), kStart), IsEmpty());  // no source yet
  play(96, kVideoSource);
  const rtp::PictureLossIndication foreign{.sender = kReceiver, .media = kVideoSource};
  EXPECT_THAT(echo_.answer_rtcp(rtcp_of(foreign), kStart), IsEmpty());
}

TEST_F(MediaEchoTest, SenderReportComesBackUnderOurSsrc) {
  play(96, kVideoSource);
  const auto answers =
      echo_.answer_rtcp(rtcp_of(sender_report(kVideoSource, 0x1111222233334444)), kStart);
  ASSERT_THAT(answers, SizeIs(1));
  const auto report = find<rtp::SenderReport>(answers[0]);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->sender, kOwnVideo);
  EXPECT_EQ(report->ntp_time, rtp::NtpTime{0x1111222233334444});
  EXPECT_EQ(report->rtp_timestamp, rtp::Timestamp{42});
  EXPECT_EQ(report->packets, 1U);
  EXPECT_EQ(report->octets, 4U);
  ASSERT_EQ(report->blocks.size(), 1U);
  EXPECT_EQ(report->blocks[0].ssrc, kVideoSource);
  EXPECT_EQ(report->blocks[0].last_sender_report, rtp::CompactNtp{0x22223333});
  EXPECT_EQ(report->blocks[0].delay_since_last, rtp::CompactNtp{0});
}

TEST_F(MediaEchoTest, ReportStandsBeforeFeedback) {
  play(96, kVideoSource);
  const auto answers =
      echo_.answer_rtcp(rtcp_of(rtp::PictureLossIndication{.sender = kReceiver, .media = kOwnVideo},
                                sender_report(kVideoSource, 1)),
                        kStart);
  ASSERT_THAT(answers, SizeIs(1));
  EXPECT_EQ(first_type(answers[0]), 200);
  EXPECT_TRUE(find<rtp::PictureLossIndication>(answers[0]));
}

TEST_F(MediaEchoTest, RoundTripFromTheReportBlock) {
  play(96, kVideoSource);
  echo_.answer_rtcp(rtcp_of(sender_report(kVideoSource, 0x1111222233334444)), kStart);
  const std::array blocks = {
      rtp::ReportBlock{.ssrc = kOwnVideo,
                       .last_sender_report = rtp::CompactNtp{0x22223333},
                       .delay_since_last = rtp::to_compact(milliseconds{500})}};
  EXPECT_FALSE(echo_.statistics().rtt);
  // A sender report has blocks, too, and is answered by a new one.
  auto report = sender_report(kVideoSource, 0x5555666677778888);
  report.blocks = std::span<const rtp::ReportBlock>(blocks);
  echo_.answer_rtcp(rtcp_of(report), kStart + milliseconds{530});
  ASSERT_TRUE(echo_.statistics().rtt);
  EXPECT_NEAR(static_cast<double>(echo_.statistics().rtt->count()), 30'000, 20);
}

// In the next process the browser's packets need no MID, and its reports no new beginning.
TEST_F(MediaEchoTest, GoesOnFromAState) {
  auto two = streams();
  two[0].payload_type = rtp::PayloadType{96};
  MediaEcho before(two);
  before.restore({{.source = kVideoSource}}, kStart);
  for (const int number : {65535, 0, 2}) {
    auto packet = rtp_of(96, kVideoSource, static_cast<std::uint16_t>(number));
    ASSERT_TRUE(before.echo_rtp(packet, kStart));
  }
  MediaEcho after(two);
  auto unknown = rtp_of(96, kVideoSource, 3);
  EXPECT_FALSE(after.echo_rtp(unknown, kStart)) << "of either section";
  after.restore(before.state(kStart), kStart);
  for (auto* echo : {&before, &after}) {
    auto packet = rtp_of(96, kVideoSource, 3);
    ASSERT_TRUE(echo->echo_rtp(packet, kStart));
    EXPECT_EQ(packet, rtp_of(96, kOwnAudio, 3));
  }
  const auto report = rtcp_of(sender_report(kVideoSource, 0x1111222233334444));
  const auto answer = after.answer_rtcp(report, kStart);
  EXPECT_EQ(answer, before.answer_rtcp(report, kStart));
  ASSERT_THAT(answer, SizeIs(1));
  EXPECT_EQ(find<rtp::SenderReport>(answer[0])->packets, 4U);
}

TEST_F(MediaEchoTest, AnswersAreBounded) {
  play(96, kVideoSource);
  const std::vector<rtp::FullIntraEntry> entries(200, {.media = kOwnVideo, .sequence_number = 1});
  const auto answers = echo_.answer_rtcp(
      rtcp_of(rtp::FullIntraRequest{.sender = kReceiver,
                                    .entries = std::span<const rtp::FullIntraEntry>(entries)}),
      kStart);
  ASSERT_THAT(answers, SizeIs(1));
  EXPECT_LE(answers[0].size(), 1100U);
}

}  // namespace
}  // namespace sluice::interop::demo
