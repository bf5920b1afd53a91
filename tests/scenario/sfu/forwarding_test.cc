// Packets, feedback and reports between a publisher and its viewers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>

#include <sluice/rtp/extension.h>

#include "scenario/sfu/published_room.h"
#include "support/bytes.h"

namespace sluice::interop::sfu {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

std::string text_of(rtp::Bytes bytes) {
  std::string text;
  for (const std::byte each : bytes) text += static_cast<char>(each);
  return text;
}

std::string element_of(const rtp::Packet& packet, std::uint8_t id) {
  const auto value = rtp::find_extension(packet.extension, rtp::ExtensionId{id});
  return value && *value ? text_of(**value) : "none";
}

class SfuForwarding : public PublishedRoom {
 protected:
  void need_key_frame(Peer& viewer) {
    world_.send_rtcp(viewer, [&](rtp::CompoundWriter& writer) {
      ASSERT_TRUE(writer.add(
          rtp::PictureLossIndication{.sender = rtp::Ssrc{1}, .media = viewer.ssrc(kVideo)}));
    });
  }
};

TEST_F(SfuForwarding, EachViewerGetsWhatItHasAgreedOn) {
  Peer& one = world_.viewer();
  Peer& other = world_.viewer();
  EXPECT_NE(one.ssrc(kVideo), other.ssrc(kVideo));
  world_.send(publisher_, {.section = kAudio, .number = 7, .payload = "sound"});
  world_.send(publisher_, {.section = kVideo, .number = 9, .payload = "picture"});
  for (const Peer* viewer : {&one, &other}) {
    const auto audio = SfuWorld::packets(*viewer, kAudio);
    ASSERT_THAT(audio, SizeIs(1));
    EXPECT_EQ(audio[0].payload_type, rtp::PayloadType{109});
    EXPECT_EQ(text_of(audio[0].payload), "sound");
    EXPECT_EQ(element_of(audio[0], 3), "0") << "MID";
    EXPECT_EQ(element_of(audio[0], 7), "\x85") << "audio level";
    const auto video = SfuWorld::packets(*viewer, kVideo);
    ASSERT_THAT(video, SizeIs(1));
    EXPECT_EQ(video[0].payload_type, rtp::PayloadType{120});
    EXPECT_EQ(text_of(video[0].payload), "picture");
    EXPECT_EQ(element_of(video[0], 3), "1") << "MID";
  }
  EXPECT_EQ(world_.counters().rtp_received, 2U);
  EXPECT_EQ(world_.counters().forwarded.packets, 4U);
}

TEST_F(SfuForwarding, WhatWasNotAgreedOnIsDropped) {
  const Peer& viewer = world_.viewer();
  world_.send(publisher_, {.number = 1, .payload_type = 97});   // RTX: the answer leaves it out
  world_.send(publisher_, {.number = 2, .payload_type = 111});  // of the audio section
  world_.send(publisher_, {.number = 3});
  EXPECT_THAT(SfuWorld::packets(viewer, kVideo), SizeIs(1));
  EXPECT_EQ(world_.counters().rtp_dropped, 2U);
}

TEST_F(SfuForwarding, MalformedExtensionsAreDropped) {
  const Peer& viewer = world_.viewer();
  // The element says that it has 16 bytes; three follow.
  auto packet = test::from_hex("90 60 00 01 00 00 00 00 0b 0b 0b 0b be de 00 01 4f 00 00 00 aa");
  world_.send_rtp(publisher_, packet);
  rtp::set_sequence_number(packet, rtp::SequenceNumber{2});
  packet[16] = std::byte{0x42};
  world_.send_rtp(publisher_, packet);
  EXPECT_THAT(SfuWorld::packets(viewer, kVideo), SizeIs(1));
  EXPECT_EQ(world_.counters().rtp_dropped, 1U);
}

// A viewer has nothing to send.
TEST_F(SfuForwarding, MediaOfAViewerGoesNowhere) {
  Peer& viewer = world_.viewer();
  Peer& other = world_.viewer();
  world_.send(viewer, {.number = 1});
  EXPECT_THAT(other.client->rtp, IsEmpty());
  EXPECT_THAT(publisher_.client->rtp, IsEmpty());
  EXPECT_EQ(world_.counters().rtp_dropped, 1U);
}

// ---- key frames

TEST_F(SfuForwarding, AKeyFrameIsAskedForWhenAViewerJoins) {
  send_video(1, 3);
  EXPECT_EQ(key_frames_asked(), 0U);
  world_.viewer();
  const auto asked = SfuWorld::received<rtp::PictureLossIndication>(publisher_);
  ASSERT_THAT(asked, SizeIs(1));
  EXPECT_EQ(asked[0].media, rtp::Ssrc{kSources[kVideo]});
}

TEST_F(SfuForwarding, KeyFramesAreAskedForAtIntervals) {
  Peer& one = world_.viewer();
  Peer& other = world_.viewer();
  send_video(1, 1);
  world_.run_for(1s);
  ASSERT_EQ(key_frames_asked(), 0U) << "nothing was there to ask for";
  need_key_frame(one);
  EXPECT_EQ(key_frames_asked(), 1U);
  need_key_frame(other);
  need_key_frame(one);
  EXPECT_EQ(key_frames_asked(), 1U);
  world_.run_for(400ms);
  EXPECT_EQ(key_frames_asked(), 1U);
  world_.run_for(200ms);
  EXPECT_EQ(key_frames_asked(), 2U) << "once for all that have waited";
  world_.run_for(5s);
  EXPECT_EQ(key_frames_asked(), 2U);
}

TEST_F(SfuForwarding, AFullIntraRequestAsksForAKeyFrame) {
  Peer& viewer = world_.viewer();
  send_video(1, 1);
  const rtp::FullIntraEntry entry{.media = viewer.ssrc(kVideo), .sequence_number = 1};
  world_.send_rtcp(viewer, [&](rtp::CompoundWriter& writer) {
    ASSERT_TRUE(
        writer.add(rtp::FullIntraRequest{.sender = rtp::Ssrc{1}, .entries = std::span(&entry, 1)}));
  });
  EXPECT_EQ(key_frames_asked(), 1U);
}

// ---- lost packets

TEST_F(SfuForwarding, LostPacketsAreSentAgain) {
  Peer& viewer = world_.viewer();
  send_video(100, 4);
  viewer.loses = 3;
  send_video(104, 3);
  send_video(107, 2);
  auto packets = SfuWorld::packets(viewer, kVideo);
  ASSERT_THAT(packets, SizeIs(6));
  const auto lost = packets[3].sequence_number + 1;
  nack(viewer, lost, 0b10);
  packets = SfuWorld::packets(viewer, kVideo);
  ASSERT_THAT(packets, SizeIs(8));
  EXPECT_EQ(packets[6].sequence_number, lost);
  EXPECT_EQ(packets[6].timestamp, rtp::Timestamp{104 * 3000});
  EXPECT_EQ(packets[7].sequence_number, lost + 2);
  EXPECT_EQ(world_.counters().nacked, 2U);
  EXPECT_EQ(world_.counters().repeated, 2U);
}

// RFC 4588 section 4: a stream of its own, whose payload begins with the original number.
TEST_F(SfuForwarding, LostPacketsAreSentAgainAsRtx) {
  Peer& viewer = world_.viewer(SfuWorld::viewer_offer(1, true));
  send_video(100, 1);
  const auto number = SfuWorld::packets(viewer, kVideo).at(0).sequence_number;
  nack(viewer, number);
  ASSERT_THAT(viewer.client->rtp, SizeIs(2));
  const auto again = rtp::read_packet(viewer.client->rtp.back());
  ASSERT_TRUE(again);
  EXPECT_NE(again->ssrc, viewer.ssrc(kVideo));
  EXPECT_EQ(again->payload_type, rtp::PayloadType{122});
  EXPECT_EQ(element_of(*again, 3), "1") << "MID";
  const std::string original = {static_cast<char>(rtp::number(number) >> 8),
                                static_cast<char>(rtp::number(number) & 0xff)};
  EXPECT_EQ(text_of(again->payload), original + "payload");
  EXPECT_EQ(world_.counters().repeated, 1U);
}

// The next one may have its SSRC, and a packet of the same number.
TEST_F(SfuForwarding, PacketsOfAFormerPublisherAreNotSentAgain) {
  Peer& viewer = world_.viewer(SfuWorld::viewer_offer(1, true));
  send_video(100, 1);
  const auto number = SfuWorld::packets(viewer, kVideo).at(0).sequence_number;
  world_.sfu.remove(publisher_.id, world_.now);
  world_.send(world_.publisher(), {.number = 100, .payload = "another"});
  ASSERT_THAT(viewer.client->rtp, SizeIs(2));
  nack(viewer, number);
  EXPECT_THAT(viewer.client->rtp, SizeIs(2));
  EXPECT_EQ(world_.counters().not_cached, 1U);
  nack(viewer, number + 1);
  EXPECT_THAT(viewer.client->rtp, SizeIs(3));
}

TEST_F(SfuForwarding, OnlyWhatIsCachedIsSentAgain) {
  Peer& viewer = world_.viewer();
  send_video(1, 1);
  const auto number = SfuWorld::packets(viewer, kVideo).at(0).sequence_number;
  nack(viewer, number + 1);  // not sent yet
  send_video(2, 600);
  nack(viewer, number);  // too long ago
  EXPECT_THAT(SfuWorld::packets(viewer, kVideo), SizeIs(601));
  EXPECT_EQ(world_.counters().not_cached, 2U);
  EXPECT_EQ(world_.counters().repeated, 0U);
}

TEST_F(SfuForwarding, AViewerThatWantsEverythingAgainIsBounded) {
  Peer& viewer = world_.viewer();
  send_video(1, 17);
  const auto first = SfuWorld::packets(viewer, kVideo).at(0).sequence_number;
  for (std::size_t asked = 0; asked < 2 * kMaxRepeats; asked += 17) nack(viewer, first, 0xffff);
  EXPECT_EQ(world_.counters().repeated, kMaxRepeats);
  EXPECT_GT(world_.counters().over_budget, 0U);
  world_.run_for(1s);
  nack(viewer, first);
  EXPECT_EQ(world_.counters().repeated, kMaxRepeats + 1);
}

TEST_F(SfuForwarding, MalformedFeedbackIsCounted) {
  Peer& viewer = world_.viewer();
  // A NACK of no entry, with the length of its header alone.
  world_.send_rtcp(
      viewer, rtp::Bytes(std::array{std::byte{0x81}, std::byte{205}, std::byte{0}, std::byte{1},
                                    std::byte{0}, std::byte{0}, std::byte{0}, std::byte{1}}));
  EXPECT_EQ(world_.counters().malformed, 1U);
}

// ---- reports

TEST_F(SfuForwarding, ThePublisherGetsReports) {
  send_video(10, 5);
  send_video(20, 1);
  world_.run_for(3s);
  const auto reports = SfuWorld::received<rtp::ReceiverReport>(publisher_);
  // One may have left before the first packet came.
  const auto report =
      std::ranges::find_if(reports, [](const auto& each) { return each.blocks.size() > 0; });
  ASSERT_NE(report, reports.end());
  ASSERT_EQ(report->blocks.size(), 1U);
  const rtp::ReportBlock block = *report->blocks.begin();
  EXPECT_EQ(block.ssrc, rtp::Ssrc{kSources[kVideo]});
  EXPECT_EQ(block.highest_sequence_number & 0xffffU, 20U);
  EXPECT_EQ(block.packets_lost, 5);
}

// Audio and video of one moment at the publisher are audio and video of one moment at the viewer.
TEST_F(SfuForwarding, SenderReportsKeepTheLipsInSync) {
  const Peer& viewer = world_.viewer();
  world_.send(publisher_, {.section = kAudio, .number = 1, .timestamp = 1'000'000});
  world_.send(publisher_, {.section = kVideo, .number = 1, .timestamp = 5'000'000});
  constexpr rtp::NtpTime kNtp{0x0000'0100'0000'0000};
  for (const std::size_t section : {kAudio, kVideo}) {
    world_.send_rtcp(publisher_, [&](rtp::CompoundWriter& writer) {
      ASSERT_TRUE(writer.add(rtp::SenderReport{
          .sender = rtp::Ssrc{kSources.at(section)},
          .ntp_time = kNtp,
          .rtp_timestamp = rtp::Timestamp{section == kAudio ? 1'000'000U : 5'000'000U}}));
    });
  }
  const auto sent_at = world_.now;
  world_.run_for(3s);
  for (const std::size_t section : {kAudio, kVideo}) {
    const auto first = SfuWorld::packets(viewer, section).at(0).timestamp;
    const std::uint32_t rate = section == kAudio ? 48 : 90;  // kHz
    std::size_t found = 0;
    for (const auto& report : SfuWorld::received<rtp::SenderReport>(viewer)) {
      if (report.sender != viewer.ssrc(section)) continue;
      ++found;
      EXPECT_EQ(report.packets, 1U);
      EXPECT_EQ(report.octets, 7U);
      const auto since = static_cast<std::uint64_t>(report.ntp_time) -
                         static_cast<std::uint64_t>(kNtp);  // in 2^-32 s
      const auto elapsed = (since * 1000 + (1ULL << 31)) >> 32;
      EXPECT_LE(elapsed, static_cast<std::uint64_t>((world_.now - sent_at) / 1ms));
      EXPECT_EQ(rtp::number(report.rtp_timestamp) - rtp::number(first), elapsed * rate);
    }
    EXPECT_GE(found, 1U);
  }
  std::vector<std::string> names;
  for (const auto& description : SfuWorld::received<rtp::SourceDescription>(viewer)) {
    for (const auto& item : description) names.emplace_back(item.text);
  }
  EXPECT_THAT(names, testing::Each(cname_of(0)));
}

// Until the first packet of another track the stream's timestamps are those of the track before.
TEST_F(SfuForwarding, ReportsWaitForTheFirstPacketOfATrack) {
  Peer& second = world_.publisher();
  Peer& viewer = world_.viewer();
  const auto report = [&](Peer& publisher, std::uint32_t source, std::uint32_t timestamp) {
    world_.send_rtcp(publisher, [&](rtp::CompoundWriter& writer) {
      ASSERT_TRUE(writer.add(rtp::SenderReport{.sender = rtp::Ssrc{source},
                                               .ntp_time = rtp::NtpTime{1ULL << 40},
                                               .rtp_timestamp = rtp::Timestamp{timestamp}}));
    });
  };
  send_video(1, 1);
  report(publisher_, kSources[kVideo], 3000);
  world_.send(second, {.number = 1, .timestamp = 1'000'000, .ssrc = 2});
  report(second, 2, 1'000'000);
  world_.run_for(3s);
  ASSERT_FALSE(SfuWorld::received<rtp::SenderReport>(viewer).empty());

  world_.sfu.remove(publisher_.id, world_.now);
  viewer.client->rtcp.clear();
  world_.run_for(3s);
  EXPECT_THAT(SfuWorld::received<rtp::SenderReport>(viewer), IsEmpty());
  world_.send(second, {.number = 2, .timestamp = 1'540'000, .ssrc = 2});
  const auto sent = SfuWorld::packets(viewer, kVideo).back().timestamp;
  world_.run_for(3s);
  const auto reports = SfuWorld::received<rtp::SenderReport>(viewer);
  ASSERT_FALSE(reports.empty());
  // That packet is of 6 s after the report; since then up to 3 s have passed.
  const auto since = rtp::number(reports.front().rtp_timestamp) - rtp::number(sent);
  EXPECT_LE(since, 3U * 90'000);
}

TEST_F(SfuForwarding, ReportsOfAFormerSourceEnd) {
  Peer& viewer = world_.viewer();
  send_video(1, 1);
  world_.send_rtcp(publisher_, [&](rtp::CompoundWriter& writer) {
    ASSERT_TRUE(writer.add(rtp::SenderReport{.sender = rtp::Ssrc{kSources[kVideo]}}));
  });
  world_.run_for(3s);
  ASSERT_FALSE(SfuWorld::received<rtp::SenderReport>(viewer).empty());
  world_.send(publisher_, {.number = 9, .ssrc = 5});
  viewer.client->rtcp.clear();
  world_.run_for(3s);
  EXPECT_THAT(SfuWorld::received<rtp::SenderReport>(viewer), IsEmpty());
}

TEST_F(SfuForwarding, WithoutSenderReportsThereAreNone) {
  const Peer& viewer = world_.viewer();
  send_video(1, 1);
  world_.run_for(5s);
  EXPECT_THAT(SfuWorld::received<rtp::SenderReport>(viewer), IsEmpty());
}

TEST_F(SfuForwarding, ReportsOfAViewerAreRead) {
  Peer& viewer = world_.viewer();
  send_video(1, 1);
  world_.send_rtcp(publisher_, [&](rtp::CompoundWriter& writer) {
    ASSERT_TRUE(writer.add(rtp::SenderReport{.sender = rtp::Ssrc{kSources[kVideo]},
                                             .ntp_time = rtp::NtpTime{1ULL << 40}}));
  });
  world_.run_for(3s);
  const auto report = SfuWorld::received<rtp::SenderReport>(viewer).back();
  const auto came = world_.now;
  world_.run_for(100ms);
  const rtp::ReportBlock block{.ssrc = viewer.ssrc(kVideo),
                               .fraction_lost = 64,
                               .last_sender_report = rtp::middle(report.ntp_time),
                               .delay_since_last = rtp::to_compact(world_.now - came)};
  world_.send_rtcp(viewer, [&](rtp::CompoundWriter& writer) {
    ASSERT_TRUE(
        writer.add(rtp::ReceiverReport{.sender = rtp::Ssrc{1}, .blocks = std::span(&block, 1)}));
  });
  const auto& stream = world_.sfu.find(viewer.id)->viewer->streams().at(kVideo);
  EXPECT_EQ(stream.fraction_lost, 64);
  ASSERT_TRUE(stream.round_trip);
  EXPECT_LT(*stream.round_trip, 1500ms) << "since that report was sent";
}

}  // namespace
}  // namespace sluice::interop::sfu
