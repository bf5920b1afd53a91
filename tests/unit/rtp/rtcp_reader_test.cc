#include <sluice/rtp/rtcp.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/bytes.h"
#include "support/listed.h"

namespace sluice::rtp {
namespace {

using test::from_hex;
using test::listed;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view kReport =
    "81 c8 00 0c 00 00 00 01 "  // SR, one block, of SSRC 1
    "11 22 33 44 55 66 77 88 00 00 00 2a 00 00 00 05 00 00 00 06 "
    "00 00 00 02 80 ff ff ff 00 00 00 09 00 00 00 07 aa bb cc dd 00 01 00 00 ";

// The packets that are well formed, and the errors of the others.
struct Contents {
  explicit Contents(std::string_view hex) : bytes(from_hex(hex)) {
    CompoundReader reader(bytes);
    while (const auto packet = reader.next()) {
      if (*packet) {
        packets.push_back(**packet);
      } else {
        errors.push_back(packet->error());
      }
    }
  }
  dtls::Buffer bytes;
  std::vector<RtcpPacket> packets;
  std::vector<Malformed> errors;
};

TEST(RtcpReader, SenderReport) {
  const Contents read(kReport);
  ASSERT_EQ(read.packets.size(), 1U);
  const auto& report = std::get<SenderReport>(read.packets[0]);
  EXPECT_EQ(report.sender, Ssrc{1});
  EXPECT_EQ(report.ntp_time, NtpTime{0x1122334455667788});
  EXPECT_EQ(report.rtp_timestamp, Timestamp{42});
  EXPECT_EQ(report.packets, 5U);
  EXPECT_EQ(report.octets, 6U);
  EXPECT_THAT(listed(report.blocks),
              ElementsAre(ReportBlock{.ssrc = Ssrc{2},
                                      .fraction_lost = 128,
                                      .packets_lost = -1,
                                      .highest_sequence_number = 9,
                                      .jitter = 7,
                                      .last_sender_report = CompactNtp{0xaabbccdd},
                                      .delay_since_last = CompactNtp{65536}}));
}

TEST(RtcpReader, SourceDescription) {
  const Contents read(
      "82 ca 00 05 00 00 00 01 01 02 61 62 0f 01 30 00 "  // CNAME "ab", MID "0"
      "00 00 00 02 00 00 00 00");                         // a chunk without items
  EXPECT_THAT(read.errors, IsEmpty());
  ASSERT_EQ(read.packets.size(), 1U);
  EXPECT_THAT(listed(std::get<SourceDescription>(read.packets[0])),
              ElementsAre(SdesItem{.source = Ssrc{1}, .type = SdesType::cname, .text = "ab"},
                          SdesItem{.source = Ssrc{1}, .type = SdesType::mid, .text = "0"}));
}

TEST(RtcpReader, Goodbye) {
  const Contents read("82 cb 00 04 00 00 00 01 00 00 00 02 03 62 79 65 00 00 00 00");
  const auto& goodbye = std::get<Goodbye>(read.packets.at(0));
  EXPECT_THAT(listed(goodbye.sources), ElementsAre(Ssrc{1}, Ssrc{2}));
  EXPECT_EQ(goodbye.reason, "bye");
}

TEST(RtcpReader, FeedbackBehindAReport) {
  const Contents read(std::string{kReport} +
                      "81 ca 00 02 00 00 00 01 01 01 61 00 "
                      "81 ce 00 02 00 00 00 01 00 00 00 07 "  // PLI
                      "81 cd 00 04 00 00 00 01 00 00 00 08 "  // NACK
                      "00 64 00 01 00 c8 ff ff "
                      "84 ce 00 04 00 00 00 01 00 00 00 00 "  // FIR
                      "00 00 00 09 05 00 00 00");
  ASSERT_EQ(read.packets.size(), 5U);
  EXPECT_EQ(std::get<PictureLossIndication>(read.packets[2]).media, Ssrc{7});
  const auto& nack = std::get<GenericNack>(read.packets[3]);
  EXPECT_EQ(nack.media, Ssrc{8});
  EXPECT_THAT(listed(nack.entries),
              ElementsAre(NackEntry{.lost = SequenceNumber{100}, .following = 1},
                          NackEntry{.lost = SequenceNumber{200}, .following = 0xffff}));
  EXPECT_THAT(listed(std::get<FullIntraRequest>(read.packets[4]).entries),
              ElementsAre(FullIntraEntry{.media = Ssrc{9}, .sequence_number = 5}));
}

TEST(RtcpReader, MaximumBitrate) {
  const Contents read("8f ce 00 05 00 00 00 01 00 00 00 00 52 45 4d 42 01 0b ff ff 00 00 00 09");
  const auto& bitrate = std::get<MaximumBitrate>(read.packets.at(0));
  EXPECT_EQ(bitrate.bits_per_second, 0x3ffffULL << 2);
  EXPECT_THAT(listed(bitrate.media), ElementsAre(Ssrc{9}));
}

TEST(RtcpReader, TransportFeedbackOfEveryChunk) {
  // Base 65534, 13 packets, reference time -1, number 7. A run of 2 small deltas; one bit each:
  // received 1 and 3 of 14, of which 11 are counted; four deltas.
  const Contents read(
      "8f cd 00 06 00 00 00 01 00 00 00 02 ff fe 00 0d ff ff ff 07 20 02 a8 00 04 05 06 07");
  EXPECT_THAT(read.errors, IsEmpty());
  const auto& feedback = std::get<TransportFeedback>(read.packets.at(0));
  EXPECT_EQ(feedback.base, SequenceNumber{65534});
  EXPECT_EQ(feedback.reference_time, -1);
  EXPECT_EQ(feedback.number, 7);
  ASSERT_EQ(feedback.statuses.size(), 13U);
  const PacketStatus none;
  EXPECT_THAT(listed(feedback.statuses),
              ElementsAre(PacketStatus{4}, PacketStatus{5}, PacketStatus{6}, none, PacketStatus{7},
                          none, none, none, none, none, none, none, none));
}

TEST(RtcpReader, TransportFeedbackHasUpToThreeBytesBehindIt) {
  const Contents read(
      "8f cd 00 07 00 00 00 01 00 00 00 02 ff fe 00 0d ff ff ff 07 20 02 a8 00 04 05 06 07 "
      "00 00 00 00");
  EXPECT_THAT(read.errors, ElementsAre(Malformed::bad_length));
}

TEST(RtcpReader, TransportFeedbackWithLargeDeltas) {
  // Two bits each: small, large, missing; the last four symbols are not counted.
  const Contents read(
      "8f cd 00 06 00 00 00 01 00 00 00 02 00 01 00 03 00 00 00 00 d8 00 09 ff fe 00 00 00");
  EXPECT_THAT(read.errors, IsEmpty());
  EXPECT_THAT(listed(std::get<TransportFeedback>(read.packets.at(0)).statuses),
              ElementsAre(PacketStatus{9}, PacketStatus{-2}, PacketStatus{}));
}

TEST(RtcpReader, OtherPacketsAreHandedOut) {
  // An XR, an APP packet, an application layer message that is no REMB.
  const Contents read(
      "80 cf 00 01 00 00 00 01 81 cc 00 02 00 00 00 01 61 62 63 64 "
      "8f ce 00 03 00 00 00 01 00 00 00 00 61 62 63 64");
  ASSERT_EQ(read.packets.size(), 3U);
  EXPECT_EQ(std::get<UnknownPacket>(read.packets[0]).type, 207);
  EXPECT_EQ(std::get<UnknownPacket>(read.packets[1]).format, 1);
  EXPECT_EQ(std::get<UnknownPacket>(read.packets[2]).body.size(), 12U);
}

TEST(RtcpReader, MalformedByReason) {
  const std::pair<Malformed, const char*> cases[] = {
      {Malformed::too_short, ""},
      {Malformed::too_short, "80 c8 00"},
      {Malformed::wrong_version, "41 ce 00 02 00 00 00 01 00 00 00 07"},
      {Malformed::bad_length, "81 ce 00 03 00 00 00 01 00 00 00 07"},  // beyond the compound
      {Malformed::bad_length, "81 ce 00 01 00 00 00 01"},              // no media source
      {Malformed::bad_length, "80 c8 00 01 00 00 00 01"},              // no sender information
      {Malformed::bad_length, "80 c9 00 00"},                          // no sender
      {Malformed::bad_count, "85 c9 00 01 00 00 00 01"},               // five blocks
      {Malformed::bad_count, "82 cb 00 01 00 00 00 01"},               // two sources
      {Malformed::bad_length, "81 cb 00 02 00 00 00 01 04 61 62 63"},  // the reason is longer
      {Malformed::bad_length, "81 cd 00 02 00 00 00 01 00 00 00 08"},  // NACK without entries
      {Malformed::bad_length, "84 ce 00 03 00 00 00 01 00 00 00 00 00 00 00 09"},  // half an entry
      {Malformed::bad_count, "81 ca 00 00"},                                       // no chunk
      {Malformed::bad_length, "81 ca 00 02 00 00 00 01 01 03 61 62"},  // an item beyond the end
      {Malformed::bad_length, "81 ca 00 02 00 00 00 01 01 02 61 62"},  // a chunk without an end
      {Malformed::bad_padding, "a1 ce 00 03 00 00 00 01 00 00 00 07 00 00 00 ff"},
      {Malformed::bad_padding, "a1 ce 00 03 00 00 00 01 00 00 00 07 00 00 00 00"},
      {Malformed::bad_padding, "a0 ce 00 00"},
      {Malformed::bad_value, "8f ce 00 04 00 00 00 01 00 00 00 00 52 45 4d 42 00 ff ff ff"},
      {Malformed::bad_count, "8f ce 00 04 00 00 00 01 00 00 00 00 52 45 4d 42 01 00 00 01"},
      // Transport feedback: no packets, chunks that end too early, a reserved symbol, no delta.
      {Malformed::bad_count,
       "8f cd 00 05 00 00 00 01 00 00 00 02 00 01 00 00 00 00 00 00 20 01 05 00"},
      {Malformed::bad_count,
       "8f cd 00 05 00 00 00 01 00 00 00 02 00 01 00 40 00 00 00 00 20 01 20 01"},
      {Malformed::bad_value,
       "8f cd 00 05 00 00 00 01 00 00 00 02 00 01 00 01 00 00 00 00 60 01 05 00"},
      {Malformed::bad_value,
       "8f cd 00 05 00 00 00 01 00 00 00 02 00 01 00 01 00 00 00 00 f0 00 05 00"},
      {Malformed::bad_length,
       "8f cd 00 05 00 00 00 01 00 00 00 02 00 01 00 04 00 00 00 00 20 04 05 00"},
  };
  for (const auto& [reason, text] : cases) {
    const Contents read(text);
    EXPECT_THAT(read.packets, IsEmpty()) << text;
    EXPECT_THAT(read.errors, ElementsAre(reason)) << text;
  }
}

TEST(RtcpReader, ContentsThatAreMalformedLeaveTheOthers) {
  const Contents read(
      "81 ce 00 02 00 00 00 01 00 00 00 07 85 c9 00 01 00 00 00 01 "
      "81 ce 00 02 00 00 00 01 00 00 00 07 81 ce 00 09");
  EXPECT_EQ(read.packets.size(), 2U);
  EXPECT_THAT(read.errors, ElementsAre(Malformed::bad_count, Malformed::bad_length));
}

TEST(RtcpReader, CompoundIsCheckedAsAWhole) {
  constexpr std::string_view kPli = "81 ce 00 02 00 00 00 01 00 00 00 07";
  const auto report = from_hex(kReport);
  EXPECT_TRUE(check_compound(report, CompoundForm::full));
  EXPECT_EQ(check_compound(from_hex(kPli), CompoundForm::full).error(), Malformed::no_report);
  EXPECT_TRUE(check_compound(from_hex(kPli), CompoundForm::reduced_size));
  EXPECT_EQ(
      check_compound(from_hex(std::string{kReport} + "81 ce 00 09"), CompoundForm::full).error(),
      Malformed::bad_length);
  EXPECT_EQ(check_compound({}, CompoundForm::reduced_size).error(), Malformed::too_short);
}

}  // namespace
}  // namespace sluice::rtp
