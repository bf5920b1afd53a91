#include <sluice/rtp/packet.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "support/allocations.h"
#include "support/bytes.h"
#include "support/listed.h"

namespace sluice::rtp {
namespace {

using test::from_hex;
using test::listed;
using testing::ElementsAre;

TEST(RtpPacket, FixedHeader) {
  const auto bytes = from_hex("80 e0 01 02 00 00 00 2a 11 22 33 44 aa bb cc");
  const auto packet = read_packet(bytes);
  ASSERT_TRUE(packet);
  EXPECT_TRUE(packet->marker);
  EXPECT_EQ(packet->payload_type, PayloadType{96});
  EXPECT_EQ(packet->sequence_number, SequenceNumber{0x0102});
  EXPECT_EQ(packet->timestamp, Timestamp{42});
  EXPECT_EQ(packet->ssrc, Ssrc{0x11223344});
  EXPECT_TRUE(packet->contributing_sources.empty());
  EXPECT_FALSE(packet->has_extension);
  EXPECT_EQ(test::to_hex(packet->payload), "aabbcc");
}

TEST(RtpPacket, ContributingSourcesAndPadding) {
  const auto bytes =
      from_hex("a2 60 00 07 00 00 00 2a 11 22 33 44 99 99 99 99 00 00 00 05 aa bb 00 00 00 04");
  const auto packet = read_packet(bytes);
  ASSERT_TRUE(packet);
  EXPECT_THAT(listed(packet->contributing_sources), ElementsAre(Ssrc{0x99999999}, Ssrc{5}));
  EXPECT_EQ(test::to_hex(packet->payload), "aabb");
  EXPECT_EQ(packet->padding_size, 4);
}

TEST(RtpPacket, PaddingAlone) {
  const auto bytes = from_hex("a0 60 00 07 00 00 00 2a 11 22 33 44 00 02");
  const auto packet = read_packet(bytes);
  ASSERT_TRUE(packet);
  EXPECT_TRUE(packet->payload.empty());
}

TEST(RtpPacket, MalformedByReason) {
  const std::pair<Malformed, const char*> cases[] = {
      {Malformed::too_short, ""},
      {Malformed::too_short, "80 60 00 07 00 00 00 2a 11 22 33"},
      {Malformed::wrong_version, "40 60 00 07 00 00 00 2a 11 22 33 44"},
      {Malformed::bad_count, "81 60 00 07 00 00 00 2a 11 22 33 44"},
      {Malformed::bad_length, "90 60 00 07 00 00 00 2a 11 22 33 44 be de"},
      {Malformed::bad_length, "90 60 00 07 00 00 00 2a 11 22 33 44 be de 00 02 00 00"},
      {Malformed::bad_padding, "a0 60 00 07 00 00 00 2a 11 22 33 44"},
      {Malformed::bad_padding, "a0 60 00 07 00 00 00 2a 11 22 33 44 aa 00"},
      {Malformed::bad_padding, "a0 60 00 07 00 00 00 2a 11 22 33 44 aa 03"},
  };
  for (const auto& [reason, text] : cases) {
    const auto packet = read_packet(from_hex(text));
    ASSERT_FALSE(packet) << text;
    EXPECT_EQ(packet.error(), reason) << text << ": " << to_string(packet.error());
  }
}

TEST(RtpPacket, WritesWhatItReads) {
  const auto bytes = from_hex(
      "b1 e0 00 07 00 00 00 2a 11 22 33 44 99 99 99 99 be de 00 01 40 30 00 00 aa bb 00 00 03");
  const auto packet = read_packet(bytes);
  ASSERT_TRUE(packet);
  std::array<std::byte, 64> out{};
  const auto size = write_packet(*packet, out);
  ASSERT_TRUE(size);
  EXPECT_EQ(test::to_hex(std::span(out).first(*size)), test::to_hex(bytes));
}

TEST(RtpPacket, WritesNothingThatItCouldNotRead) {
  std::array<std::byte, 64> out{};
  const std::array<Ssrc, 16> sources{};
  const std::array<std::byte, 6> body{};
  EXPECT_EQ(write_packet({.payload_type = PayloadType{128}}, out).error(),
            WriteError::out_of_range);
  EXPECT_EQ(write_packet({.contributing_sources = std::span<const Ssrc>(sources)}, out).error(),
            WriteError::too_many_items);
  EXPECT_EQ(write_packet({.has_extension = true, .extension = {.body = body}}, out).error(),
            WriteError::too_long);
  EXPECT_EQ(write_packet({.payload = out}, std::span(out).first(63)).error(),
            WriteError::buffer_too_small);
}

TEST(RtpPacket, EachFieldIsRewrittenAlone) {
  auto bytes = from_hex("80 60 00 07 00 00 00 2a 11 22 33 44 aa");
  set_marker(bytes, true);
  EXPECT_EQ(test::to_hex(bytes), "80e000070000002a11223344aa");
  set_payload_type(bytes, PayloadType{1});
  EXPECT_EQ(test::to_hex(bytes), "808100070000002a11223344aa");
  set_marker(bytes, false);
  set_sequence_number(bytes, SequenceNumber{0xfffe});
  EXPECT_EQ(test::to_hex(bytes), "8001fffe0000002a11223344aa");
  set_timestamp(bytes, Timestamp{0xdeadbeef});
  EXPECT_EQ(test::to_hex(bytes), "8001fffedeadbeef11223344aa");
  set_ssrc(bytes, Ssrc{0x01020304});
  EXPECT_EQ(test::to_hex(bytes), "8001fffedeadbeef01020304aa");
}

TEST(RtpPacket, DistanceAcrossTheWrap) {
  EXPECT_EQ(distance(SequenceNumber{65535}, SequenceNumber{1}), 2);
  EXPECT_EQ(distance(SequenceNumber{1}, SequenceNumber{65535}), -2);
  EXPECT_EQ(SequenceNumber{65535} + 1, SequenceNumber{0});
}

TEST(RtpPacket, NothingIsAllocated) {
  const auto bytes = from_hex("b0 e0 00 07 00 00 00 2a 11 22 33 44 be de 00 01 40 30 00 00 aa 01");
  std::array<std::byte, 64> out{};
  const auto before = test::allocations().count;
  const auto packet = read_packet(bytes);
  const auto size = write_packet(*packet, out);
  EXPECT_EQ(test::allocations().count, before);
  EXPECT_EQ(size, bytes.size());
}

}  // namespace
}  // namespace sluice::rtp
