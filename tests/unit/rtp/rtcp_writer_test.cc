#include <sluice/rtp/rtcp.h>

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "support/allocations.h"
#include "support/bytes.h"

namespace sluice::rtp {
namespace {

using test::to_hex;

// What one packet looks like.
template <class Packet>
std::string written(const Packet& packet) {
  std::array<std::byte, 2000> out{};
  CompoundWriter writer(CompoundForm::reduced_size, out);
  const auto added = writer.add(packet);
  return added ? to_hex(writer.compound()) : std::string{to_string(added.error())};
}

std::span<const SdesItem> one(const SdesItem& item) { return {&item, 1}; }

TEST(RtcpWriter, Reports) {
  const std::array blocks = {ReportBlock{.ssrc = Ssrc{2},
                                         .fraction_lost = 128,
                                         .packets_lost = -1,
                                         .highest_sequence_number = 9,
                                         .jitter = 7,
                                         .last_sender_report = CompactNtp{0xaabbccdd},
                                         .delay_since_last = CompactNtp{65536}}};
  EXPECT_EQ(written(SenderReport{.sender = Ssrc{1},
                                 .ntp_time = NtpTime{0x1122334455667788},
                                 .rtp_timestamp = Timestamp{42},
                                 .packets = 5,
                                 .octets = 6,
                                 .blocks = std::span<const ReportBlock>(blocks)}),
            "81c8000c00000001112233445566778800000"
            "02a0000000500000006"
            "0000000280ffffff0000000900000007aabbccdd00010000");
  EXPECT_EQ(written(ReceiverReport{.sender = Ssrc{3}}), "80c9000100000003");
}

TEST(RtcpWriter, LossIsLimitedToTheField) {
  for (const auto& [lost, field] : {std::pair{0x800000, "7fffff"}, {-0x800001, "800000"}}) {
    const std::array blocks = {ReportBlock{.packets_lost = lost}};
    EXPECT_EQ(written(ReceiverReport{.blocks = std::span<const ReportBlock>(blocks)}).substr(26, 6),
              field);
  }
}

// RFC 3550 section 6.5: at least one zero byte ends the chunk, up to a 32-bit boundary.
TEST(RtcpWriter, SourceDescription) {
  EXPECT_EQ(written(SourceDescription{one({.source = Ssrc{3}, .text = "ab"})}),
            "81ca0003000000030102616200000000");
  EXPECT_EQ(written(SourceDescription{one({.source = Ssrc{3}, .text = "a"})}),
            "81ca00020000000301016100");
  const std::array items = {SdesItem{.source = Ssrc{1}, .type = SdesType::cname, .text = "a"},
                            SdesItem{.source = Ssrc{1}, .type = SdesType::mid, .text = "0"},
                            SdesItem{.source = Ssrc{2}, .type = SdesType::cname, .text = "b"}};
  EXPECT_EQ(written(SourceDescription{items}),
            "82ca000500000001010161"
            "0f01300000"
            "000000020101"
            "6200");
}

TEST(RtcpWriter, Goodbye) {
  const std::array sources = {Ssrc{1}};
  EXPECT_EQ(written(Goodbye{.sources = std::span<const Ssrc>(sources)}), "81cb000100000001");
  EXPECT_EQ(written(Goodbye{.sources = std::span<const Ssrc>(sources), .reason = "bye"}),
            "81cb00020000000103627965");
}

TEST(RtcpWriter, Feedback) {
  const std::array nacks = {NackEntry{.lost = SequenceNumber{100}, .following = 1}};
  const std::array requests = {FullIntraEntry{.media = Ssrc{9}, .sequence_number = 5}};
  EXPECT_EQ(written(PictureLossIndication{.sender = Ssrc{3}, .media = Ssrc{7}}),
            "81ce00020000000300000007");
  EXPECT_EQ(written(FullIntraRequest{.sender = Ssrc{3},
                                     .entries = std::span<const FullIntraEntry>(requests)}),
            "84ce000400000003000000000000000905000000");
  EXPECT_EQ(written(GenericNack{
                .sender = Ssrc{3}, .media = Ssrc{8}, .entries = std::span<const NackEntry>(nacks)}),
            "81cd0003000000030000000800640001");
}

TEST(RtcpWriter, AnEntryOfANackNamesSeventeenPackets) {
  NackEntry entry{.lost = SequenceNumber{65534}};
  EXPECT_TRUE(entry.add(SequenceNumber{65535}));
  EXPECT_TRUE(entry.add(SequenceNumber{14}));
  EXPECT_FALSE(entry.add(SequenceNumber{15})) << "too far";
  EXPECT_FALSE(entry.add(SequenceNumber{65534})) << "itself";
  EXPECT_FALSE(entry.add(SequenceNumber{65533})) << "before it";
  EXPECT_EQ(entry.following, 0x8001);
  std::vector<std::uint16_t> lost;
  entry.for_each([&](SequenceNumber each) { lost.push_back(number(each)); });
  EXPECT_EQ(lost, (std::vector<std::uint16_t>{65534, 65535, 14}));
}

TEST(RtcpWriter, MaximumBitrateIsRoundedDown) {
  const std::array media = {Ssrc{9}};
  EXPECT_EQ(
      written(MaximumBitrate{
          .sender = Ssrc{1}, .bits_per_second = 0xfffff, .media = std::span<const Ssrc>(media)}),
      "8fce00050000000100000000"
      "52454d42"
      "010bffff00000009");
  EXPECT_EQ(written(MaximumBitrate{.bits_per_second = 5}).substr(32), "00000005");
  EXPECT_EQ(written(MaximumBitrate{.bits_per_second = ~0ULL}).substr(32), "00bbffff");
}

TEST(RtcpWriter, TransportFeedback) {
  std::vector<PacketStatus> statuses(20, PacketStatus{4});
  statuses.emplace_back();
  statuses.emplace_back(PacketStatus{-2});
  EXPECT_EQ(
      written(TransportFeedback{.sender = Ssrc{1},
                                .media = Ssrc{2},
                                .base = SequenceNumber{65534},
                                .reference_time = -1,
                                .number = 7,
                                .statuses = std::span<const PacketStatus>(statuses)}),
      "8fcd000b0000000100000002"
      "fffe0016ffffff07"
      "2014"
      "c800" +
          [] {
            std::string deltas;
            for (int i = 0; i < 20; ++i) deltas += "04";
            return deltas;
          }() +
          "fffe"
          "0000");
}

TEST(RtcpWriter, RefusesWhatDoesNotFit) {
  const std::vector<ReportBlock> blocks(32);
  const std::vector<Ssrc> sources(256);
  const std::string text(256, 'x');
  EXPECT_EQ(written(ReceiverReport{.blocks = std::span<const ReportBlock>(blocks)}),
            "too_many_items");
  EXPECT_EQ(written(Goodbye{.sources = std::span<const Ssrc>(sources).first(32)}),
            "too_many_items");
  EXPECT_EQ(written(Goodbye{.reason = text}), "too_long");
  EXPECT_EQ(written(MaximumBitrate{.media = std::span<const Ssrc>(sources)}), "too_many_items");
  EXPECT_EQ(written(SourceDescription{one({.text = text})}), "too_long");
  std::vector<SdesItem> chunks(32);
  for (std::uint32_t i = 0; i < 32; ++i) chunks[i].source = Ssrc{i};
  EXPECT_EQ(written(SourceDescription{chunks}), "too_many_items");
  const std::vector<PacketStatus> statuses(1);
  EXPECT_EQ(written(TransportFeedback{}), "out_of_range");
  EXPECT_EQ(written(TransportFeedback{.reference_time = 0x800000,
                                      .statuses = std::span<const PacketStatus>(statuses)}),
            "out_of_range");
  const std::array<std::byte, 3> body{};
  EXPECT_EQ(written(UnknownPacket{.body = body}), "too_long");
}

TEST(RtcpWriter, PacketIsWrittenWholeOrNotAtAll) {
  std::array<std::byte, 19> out{};
  CompoundWriter writer(CompoundForm::full, out);
  EXPECT_EQ(writer.add(PictureLossIndication{}).error(), WriteError::no_report);
  ASSERT_TRUE(writer.add(ReceiverReport{}));
  EXPECT_EQ(writer.add(PictureLossIndication{}).error(), WriteError::buffer_too_small);
  EXPECT_EQ(writer.compound().size(), 8U);
  EXPECT_EQ(writer.room(), 11U);
}

TEST(RtcpWriter, NothingIsAllocated) {
  std::array<std::byte, 500> out{};
  const std::array<PacketStatus, 50> statuses{};
  const std::array<SdesItem, 2> items{};
  const auto before = test::allocations().count;
  CompoundWriter writer(CompoundForm::full, out);
  EXPECT_TRUE(writer.add(ReceiverReport{}));
  EXPECT_TRUE(writer.add(SourceDescription{items}));
  EXPECT_TRUE(writer.add(TransportFeedback{.statuses = std::span<const PacketStatus>(statuses)}));
  std::size_t read = 0;
  CompoundReader reader(writer.compound());
  while (const auto packet = reader.next()) read += packet->has_value() ? 1U : 0U;
  EXPECT_EQ(test::allocations().count, before);
  EXPECT_EQ(read, 3U);
}

}  // namespace
}  // namespace sluice::rtp
