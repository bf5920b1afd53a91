#include "packet.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

#include "support/rtp_packets.h"

namespace sluice::srtp {
namespace {

using test::make_rtcp;
using test::make_rtp;
using test::Packet;

TEST(IsRtcp, TakesPayloadTypes192To223) {
  for (unsigned second = 0; second < 256; ++second) {
    const Packet packet{std::byte{0x80}, static_cast<std::byte>(second)};
    EXPECT_EQ(is_rtcp(packet), second >= 192 && second <= 223) << second;
  }
}

TEST(IsRtcp, NeedsTwoBytes) {
  EXPECT_FALSE(is_rtcp({}));
  EXPECT_FALSE(is_rtcp(Packet{std::byte{200}}));
}

TEST(ClearHeader, CountsCsrcsAndExtension) {
  EXPECT_EQ(clear_header_size(PacketKind::rtp, make_rtp()), 12U);
  EXPECT_EQ(clear_header_size(PacketKind::rtp, make_rtp({.csrcs = 15})), 72U);
  EXPECT_EQ(clear_header_size(PacketKind::rtp, make_rtp({.extension_words = 3})), 28U);
  EXPECT_EQ(clear_header_size(PacketKind::rtp, make_rtp({.csrcs = 2, .extension_words = 1})), 28U);
  EXPECT_EQ(clear_header_size(PacketKind::rtcp, make_rtcp()), 8U);
}

TEST(ClearHeader, RefusesOtherVersions) {
  for (const unsigned version : {0U, 1U, 3U}) {
    for (const auto kind : {PacketKind::rtp, PacketKind::rtcp}) {
      auto packet = kind == PacketKind::rtp ? make_rtp() : make_rtcp();
      packet[0] = static_cast<std::byte>(version << 6);
      EXPECT_EQ(clear_header_size(kind, packet), 0U) << version;
    }
  }
}

TEST(ClearHeader, RefusesEveryTruncation) {
  const auto rtp = make_rtp({.payload = 0, .csrcs = 3, .extension_words = 2});
  for (std::size_t size = 0; size < rtp.size(); ++size) {
    EXPECT_EQ(clear_header_size(PacketKind::rtp, Bytes(rtp).first(size)), 0U) << size;
  }
  EXPECT_EQ(clear_header_size(PacketKind::rtp, rtp), rtp.size());
  const auto rtcp = make_rtcp(1, 0);
  for (std::size_t size = 0; size < 8; ++size) {
    EXPECT_EQ(clear_header_size(PacketKind::rtcp, Bytes(rtcp).first(size)), 0U) << size;
  }
}

// What lies behind it may not be read: here it is a page that nobody may.
TEST(ClearHeader, ReadsNothingBehindThePacket) {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  void* const memory =
      mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  const std::span<std::byte> readable(static_cast<std::byte*>(memory), page);
  ASSERT_EQ(mprotect(readable.data() + page, page, PROT_NONE), 0);
  const auto rtp = make_rtp({.payload = 0, .csrcs = 3, .extension_words = 2});
  for (std::size_t size = 0; size < rtp.size(); ++size) {
    const auto packet = readable.last(size);
    std::ranges::copy(Bytes(rtp).first(size), packet.begin());
    EXPECT_EQ(clear_header_size(PacketKind::rtp, packet), 0U) << size;
  }
  munmap(memory, 2 * page);
}

TEST(ClearHeader, RefusesWhatNoDatagramHolds) {
  EXPECT_EQ(clear_header_size(PacketKind::rtp, make_rtp({.payload = kMaxPacket - 12})), 12U);
  EXPECT_EQ(clear_header_size(PacketKind::rtp, make_rtp({.payload = kMaxPacket - 11})), 0U);
}

TEST(SequenceNumber, IsReadInNetworkOrder) {
  EXPECT_EQ(sequence_of(make_rtp({.sequence = 0xfedc})), 0xfedcU);
}

TEST(Ssrc, IsReadWhereEachKindHasIt) {
  EXPECT_EQ(ssrc_of(PacketKind::rtp, make_rtp({.ssrc = 0xfedcba98})), 0xfedcba98U);
  EXPECT_EQ(ssrc_of(PacketKind::rtcp, make_rtcp(0x01020304)), 0x01020304U);
}

TEST(Outcome, IsASizeOrAnError) {
  for (const std::size_t size : {std::size_t{0}, kMaxPacket}) {
    const Outcome outcome(size);
    EXPECT_TRUE(outcome);
    EXPECT_EQ(outcome.result(), PacketResult(size));
  }
  for (std::size_t i = 0; i < kPacketErrors; ++i) {
    const auto error = static_cast<PacketError>(i);
    const Outcome outcome(error);
    EXPECT_FALSE(outcome) << to_string(error);
    EXPECT_EQ(outcome.result(), PacketResult(tl::unexpected(error))) << to_string(error);
  }
}

}  // namespace
}  // namespace sluice::srtp
