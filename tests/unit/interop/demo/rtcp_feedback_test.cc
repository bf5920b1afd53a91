#include "demo/rtcp_feedback.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/interop/demo/bytes_of.h"

namespace sluice::interop::demo {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::string_view kReport =
    "81 c8 00 0c 00 00 00 01 "  // SR, one block, of SSRC 1
    "11 22 33 44 55 66 77 88 00 00 00 2a 00 00 00 05 00 00 00 06 "
    "00 00 00 02 00 00 00 00 00 00 00 09 00 00 00 00 aa bb cc dd 00 01 00 00 ";

TEST(RtcpFeedback, SenderReportWithBlock) {
  const auto items = read_rtcp(bytes_of(std::string{kReport}));
  ASSERT_THAT(items, SizeIs(2));
  const auto* report = std::get_if<SenderReport>(&items[0]);
  ASSERT_NE(report, nullptr);
  EXPECT_EQ(report->sender, 1U);
  EXPECT_EQ(report->ntp_timestamp, 0x1122334455667788U);
  EXPECT_EQ(report->middle_ntp(), 0x33445566U);
  EXPECT_EQ(report->rtp_timestamp, 42U);
  const auto* block = std::get_if<ReportBlock>(&items[1]);
  ASSERT_NE(block, nullptr);
  EXPECT_EQ(block->ssrc, 2U);
  EXPECT_EQ(block->last_sender_report, 0xaabbccddU);
  EXPECT_EQ(block->delay_since_last, 65536U);
}

TEST(RtcpFeedback, FeedbackBehindAReport) {
  const auto items =
      read_rtcp(bytes_of(std::string{kReport} + "81 ca 00 02 00 00 00 01 01 01 61 00 "  // SDES
                                                "81 ce 00 02 00 00 00 01 00 00 00 07 "  // PLI
                                                "81 cd 00 04 00 00 00 01 00 00 00 08 "  // NACK
                                                "00 64 00 01 00 c8 ff ff "              //
                                                "84 ce 00 04 00 00 00 01 00 00 00 00 "  // FIR
                                                "00 00 00 09 05 00 00 00"));
  ASSERT_THAT(items, SizeIs(5));
  EXPECT_EQ(std::get<PictureLossIndication>(items[2]).media_ssrc, 7U);
  EXPECT_EQ(std::get<GenericNack>(items[3]).media_ssrc, 8U);
  EXPECT_THAT(std::get<GenericNack>(items[3]).entries, ElementsAre(0x00640001U, 0x00c8ffffU));
  EXPECT_EQ(std::get<FullIntraRequest>(items[4]).media_ssrc, 9U);
  EXPECT_EQ(std::get<FullIntraRequest>(items[4]).sequence_number, 5);
}

TEST(RtcpFeedback, SkipsWhatItDoesNotKnow) {
  // An XR, an application packet and a REMB before a PLI.
  const auto items =
      read_rtcp(bytes_of("80 cf 00 01 00 00 00 01 80 cc 00 02 00 00 00 01 61 62 63 64 "
                         "8f ce 00 05 00 00 00 01 00 00 00 00 52 45 4d 42 01 00 00 00 00 00 00 01 "
                         "81 ce 00 02 00 00 00 01 00 00 00 07"));
  EXPECT_THAT(items, SizeIs(1));
}

TEST(RtcpFeedback, Malformed) {
  for (const auto* text : {
           "", "80 c8 00", "41 ce 00 02 00 00 00 01 00 00 00 07",  // version 1
           "81 ce 00 03 00 00 00 01 00 00 00 07",                  // longer than the packet
           "81 ce 00 01 00 00 00 01",                              // no media source
           "80 c8 00 01 00 00 00 01",                              // no sender information
           "85 c9 00 01 00 00 00 01",                              // five blocks beyond the end
           "81 cd 00 02 00 00 00 01 00 00 00 08",                  // NACK without entries
           "a1 ce 00 03 00 00 00 01 00 00 00 07 00 00 00 ff",      // padding beyond the packet
           "a1 ce 00 03 00 00 00 01 00 00 00 07 00 00 00 00",      // padding of length 0
           "a0 ce 00 00",                                          // padding, but no room for it
       }) {
    EXPECT_THAT(read_rtcp(bytes_of(text)), IsEmpty()) << text;
  }
}

TEST(RtcpFeedback, WhatStoodBeforeTheFaultCounts) {
  EXPECT_THAT(read_rtcp(bytes_of("81 ce 00 02 00 00 00 01 00 00 00 07 81 ce 00 09")), SizeIs(1));
}

TEST(RtcpFeedback, WritesWhatItReads) {
  Buffer block =
      bytes_of("00 00 00 02 00 00 00 00 00 00 00 09 00 00 00 00 aa bb cc dd 00 01 00 00");
  Buffer out;
  append_sender_report(out, {.sender = 1, .ntp_timestamp = 0x1122334455667788, .rtp_timestamp = 42},
                       5, 6, block);
  EXPECT_EQ(out, bytes_of(std::string{kReport}));

  out.clear();
  append_receiver_report(out, 3, {});
  EXPECT_EQ(out, bytes_of("80 c9 00 01 00 00 00 03"));

  // RFC 3550 section 6.5: at least one zero byte ends the chunk, up to a 32-bit boundary.
  out.clear();
  append_cname(out, 3, "ab");
  EXPECT_EQ(out, bytes_of("81 ca 00 03 00 00 00 03 01 02 61 62 00 00 00 00"));
  out.clear();
  append_cname(out, 3, "a");
  EXPECT_EQ(out, bytes_of("81 ca 00 02 00 00 00 03 01 01 61 00"));

  out.clear();
  append_feedback(out, 3, PictureLossIndication{.media_ssrc = 7});
  append_feedback(out, 3, FullIntraRequest{.media_ssrc = 9, .sequence_number = 5});
  append_feedback(out, 3, GenericNack{.media_ssrc = 8, .entries = {0x00640001}});
  EXPECT_EQ(out, bytes_of("81 ce 00 02 00 00 00 03 00 00 00 07 "
                          "84 ce 00 04 00 00 00 03 00 00 00 00 00 00 00 09 05 00 00 00 "
                          "81 cd 00 03 00 00 00 03 00 00 00 08 00 64 00 01"));
}

}  // namespace
}  // namespace sluice::interop::demo
