#include "demo/rtp_packet.h"

#include <gtest/gtest.h>

#include "unit/interop/demo/bytes_of.h"

namespace sluice::interop::demo {
namespace {

Buffer packet_with_extension(std::string_view extension) {
  return bytes_of("90 60 00 07 00 00 00 2a 11 22 33 44 " + std::string{extension} + " aa bb");
}

TEST(RtpPacket, FixedHeader) {
  const auto header = read_rtp_header(bytes_of("80 e0 01 02 00 00 00 2a 11 22 33 44 aa bb cc"));
  ASSERT_TRUE(header);
  EXPECT_EQ(header->payload_type, 96);
  EXPECT_EQ(header->sequence_number, 0x0102);
  EXPECT_EQ(header->timestamp, 42U);
  EXPECT_EQ(header->ssrc, 0x11223344U);
  EXPECT_EQ(header->payload_size, 3U);
}

TEST(RtpPacket, ContributingSourcesAndPadding) {
  const auto header = read_rtp_header(
      bytes_of("a1 60 00 07 00 00 00 2a 11 22 33 44 99 99 99 99 aa bb 00 00 00 04"));
  ASSERT_TRUE(header);
  EXPECT_EQ(header->payload_size, 2U);
}

TEST(RtpPacket, OneByteExtension) {
  // ID 1 with two bytes, one byte of padding, ID 4 with the MID "0".
  const auto packet = packet_with_extension("be de 00 02 11 ff ff 00 40 30 00 00");
  const auto header = read_rtp_header(packet);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->payload_size, 2U);
  EXPECT_EQ(find_extension(*header, 4), "0");
  EXPECT_EQ(find_extension(*header, 5), std::nullopt);
}

TEST(RtpPacket, TwoByteExtension) {
  const auto packet = packet_with_extension("10 00 00 02 01 00 20 03 61 62 63 00");
  const auto header = read_rtp_header(packet);
  ASSERT_TRUE(header);
  EXPECT_EQ(find_extension(*header, 0x20), "abc");
  EXPECT_EQ(find_extension(*header, 1), "");
}

TEST(RtpPacket, ExtensionElementsMustFit) {
  EXPECT_EQ(find_extension(*read_rtp_header(packet_with_extension("be de 00 01 43 30 30 30")), 4),
            std::nullopt);
  EXPECT_EQ(find_extension(*read_rtp_header(packet_with_extension("10 00 00 01 01 01 30 04")), 4),
            std::nullopt);
  // RFC 8285 section 4.2: parsing stops at ID 15.
  EXPECT_EQ(find_extension(*read_rtp_header(packet_with_extension("be de 00 01 f0 00 40 30")), 4),
            std::nullopt);
  EXPECT_EQ(find_extension(*read_rtp_header(packet_with_extension("12 34 00 01 40 30 00 00")), 4),
            std::nullopt);
}

TEST(RtpPacket, Malformed) {
  for (const auto* text : {
           "",
           "80 60 00 07 00 00 00 2a 11 22 33",                       // too short
           "40 60 00 07 00 00 00 2a 11 22 33 44",                    // version 1
           "81 60 00 07 00 00 00 2a 11 22 33 44",                    // CSRC beyond the end
           "90 60 00 07 00 00 00 2a 11 22 33 44 be de",              // half an extension header
           "90 60 00 07 00 00 00 2a 11 22 33 44 be de 00 02 00 00",  // an extension beyond the end
           "a0 60 00 07 00 00 00 2a 11 22 33 44 aa 00",              // padding of length 0
           "a0 60 00 07 00 00 00 2a 11 22 33 44 aa 03",              // padding beyond the payload
       }) {
    EXPECT_FALSE(read_rtp_header(bytes_of(text))) << text;
  }
}

}  // namespace
}  // namespace sluice::interop::demo
