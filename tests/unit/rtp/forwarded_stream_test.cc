#include <sluice/rtp/forwarded_stream.h>

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <string>
#include <vector>

#include "support/allocations.h"
#include "support/bytes.h"

namespace sluice::rtp {
namespace {

using namespace std::chrono_literals;
using test::from_hex;
using test::to_hex;

constexpr Ssrc kOrigin{0x11223344};

ForwardOptions agreed() {
  ForwardOptions options{.ssrc = Ssrc{0xaabbccdd}, .repeat_window = 64};
  options.payload_types[96] = PayloadType{100};
  return options;
}

ForwardOptions with_elements() {
  ForwardOptions options = agreed();
  options.extension_ids[3] = 7;  // forwarded as it is
  options.mid = TextElement{.id = ExtensionId{1}, .text = "v"};
  options.rid = TextElement{.id = ExtensionId{2}, .text = "hi"};
  options.absolute_send_time = ExtensionId{4};
  options.transport_sequence_number = ExtensionId{5};
  options.rtx = RtxOptions{.ssrc = Ssrc{0x0a0b0c0d}, .repaired_rid = ExtensionId{6}};
  options.rtx->payload_types[96] = PayloadType{101};
  return options;
}

// With elements 3 (ff) and 9 (00 00), a contributing source and padding.
dtls::Buffer packet_of(std::uint16_t number, Ssrc source = kOrigin) {
  auto bytes = from_hex(
      "b1 e0 00 00 00 00 00 2a 00 00 00 00 99 99 99 99 be de 00 02 30 ff 91 00 00 00 00 00 aa bb "
      "cc 00 02");
  set_sequence_number(bytes, SequenceNumber{number});
  set_ssrc(bytes, source);
  return bytes;
}

class ForwardedStreamTest : public testing::Test {
 protected:
  Departure departure() { return {.time = now_, .next_transport_number = transport_number_}; }
  // What is written, in hexadecimal; else the reason.
  std::string text_of(const ForwardResult& size) {
    return size ? to_hex(std::span(out_).first(*size)) : std::string(to_string(size.error()));
  }
  std::string write(ForwardedStream& stream, dtls::Bytes packet) {
    return text_of(stream.write(*read_packet(packet), departure(), out_));
  }

  Instant now_{1s};
  SequenceNumber transport_number_{0xfffe};
  std::array<std::byte, 2048> out_{};
};

TEST_F(ForwardedStreamTest, WritesWhatTheReceiverHasAgreedOn) {
  auto stream = ForwardedStream::make(agreed());
  ASSERT_TRUE(stream);
  // Without extension and padding.
  EXPECT_EQ(write(*stream, packet_of(7)), "81e400070000002aaabbccdd99999999aabbcc");
  EXPECT_EQ(transport_number_, SequenceNumber{0xfffe});
}

TEST_F(ForwardedStreamTest, WritesElementsOfTheServerAndOfTheSender) {
  auto stream = ForwardedStream::make(with_elements());
  ASSERT_TRUE(stream);
  // MID, RID, the sender's, abs-send-time (2^18 ticks), the number of the transport, padding.
  EXPECT_EQ(write(*stream, packet_of(7)),
            "91e400070000002aaabbccdd99999999bede0004"
            "1076"
            "216869"
            "70ff"
            "42040000"
            "51fffe"
            "0000"
            "aabbcc");
  EXPECT_EQ(transport_number_, SequenceNumber{0xffff});
  write(*stream, packet_of(8));
  EXPECT_EQ(transport_number_, SequenceNumber{0});
}

TEST_F(ForwardedStreamTest, WritesTheTwoByteForm) {
  ForwardOptions options = agreed();
  options.extension_form = ExtensionForm::two_byte;
  options.extension_ids[3] = 200;
  options.mid = TextElement{.id = ExtensionId{15}, .text = "a longer one than 16"};
  auto stream = ForwardedStream::make(options);
  ASSERT_TRUE(stream);
  EXPECT_EQ(write(*stream, packet_of(7)),
            "91e400070000002aaabbccdd9999999910000007"
            "0f14" +
                to_hex(test::bytes_of("a longer one than 16")) +
                "c801ff"
                "000000"
                "aabbcc");
}

TEST_F(ForwardedStreamTest, LeavesOutElementsThatTheFormCannotHold) {
  ForwardOptions options = agreed();
  options.extension_ids[3] = 3;
  options.extension_ids[4] = 4;
  auto stream = ForwardedStream::make(options);
  ASSERT_TRUE(stream);
  // An element of 17 bytes and one of none, in the two-byte form.
  EXPECT_EQ(write(*stream, from_hex("90 60 00 07 00 00 00 2a 11 22 33 44 10 00 00 06 03 11 "
                                    "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 "
                                    "04 00 04 01 77 aa")),
            "906400070000002aaabbccddbede0001"
            "4077"
            "0000"
            "aa");
}

// An extension has up to 65,535 words, which the elements of the other form may exceed.
TEST_F(ForwardedStreamTest, LeavesOutElementsThatTheLengthCannotTell) {
  ForwardOptions options = agreed();
  options.extension_form = ExtensionForm::two_byte;
  options.extension_ids[3] = 3;
  auto stream = ForwardedStream::make(options);
  ASSERT_TRUE(stream);
  constexpr std::size_t kWords = 0xc000;
  auto packet = from_hex("90 60 00 07 00 00 00 2a 11 22 33 44 be de c0 00");
  for (std::size_t i = 0; i < 2 * kWords; ++i) {
    packet.push_back(std::byte{0x30});
    packet.push_back(std::byte{0xff});
  }
  packet.push_back(std::byte{0xaa});
  const auto read = read_packet(packet);
  ASSERT_TRUE(read);
  std::vector<std::byte> out(stream->max_size(*read));
  const auto size = stream->write(*read, departure(), out);
  ASSERT_TRUE(size);
  const auto written = read_packet(std::span(out).first(*size));
  ASSERT_TRUE(written);
  EXPECT_EQ(to_hex(written->payload), "aa");
  EXPECT_EQ(written->extension.body.size(), 4U * 0xffff);
}

TEST_F(ForwardedStreamTest, LeavesOutWhatFollowsAMalformedElement) {
  ForwardOptions options = agreed();
  options.extension_ids[3] = 3;
  auto stream = ForwardedStream::make(options);
  ASSERT_TRUE(stream);
  // The second element would be 16 bytes long.
  EXPECT_EQ(write(*stream, from_hex("90 60 00 07 00 00 00 2a 11 22 33 44 be de 00 01 30 ff 3f 00")),
            "906400070000002aaabbccddbede0001"
            "30ff"
            "0000");
}

TEST_F(ForwardedStreamTest, WhatIsKeptBackLeavesNoGap) {
  auto stream = ForwardedStream::make(agreed());
  ASSERT_TRUE(stream);
  write(*stream, packet_of(7));
  auto other = packet_of(8);
  set_payload_type(other, PayloadType{97});
  EXPECT_EQ(write(*stream, other), "payload_type");
  EXPECT_EQ(write(*stream, from_hex("a0 60 00 09 00 00 00 2a 11 22 33 44 00 02")), "padding_only");
  stream->skip(*read_packet(packet_of(10)));
  EXPECT_EQ(write(*stream, packet_of(11)).substr(4, 4), "0008");
  EXPECT_EQ(write(*stream, packet_of(8)), "late");
  EXPECT_EQ(stream->sent().packets, 2U);
  EXPECT_EQ(stream->sent().payload_bytes, 6U);
}

TEST_F(ForwardedStreamTest, AnEmptyPayloadIsForwarded) {
  auto stream = ForwardedStream::make(agreed());
  ASSERT_TRUE(stream);
  EXPECT_EQ(write(*stream, from_hex("80 60 00 07 00 00 00 2a 11 22 33 44")),
            "806400070000002aaabbccdd");
}

TEST_F(ForwardedStreamTest, RefusesDuplicates) {
  auto stream = ForwardedStream::make(with_elements());
  ASSERT_TRUE(stream);
  write(*stream, packet_of(7));
  EXPECT_EQ(write(*stream, packet_of(7)), "duplicate");
  EXPECT_EQ(transport_number_, SequenceNumber{0xffff});
  // The number comes again after 65,536 packets, most of which were lost here.
  for (const std::uint16_t number : std::array<std::uint16_t, 4>{30'000, 60'000, 15'000, 45'000}) {
    write(*stream, packet_of(number));
  }
  write(*stream, packet_of(0xfff0));
  EXPECT_EQ(write(*stream, packet_of(7)).substr(4, 4), "0007");
}

TEST_F(ForwardedStreamTest, TellsTheTimestampsOfReports) {
  auto stream = ForwardedStream::make(agreed());
  ASSERT_TRUE(stream);
  EXPECT_FALSE(stream->timestamp_of(Timestamp{42}));
  write(*stream, packet_of(7));
  EXPECT_EQ(stream->timestamp_of(Timestamp{42}), Timestamp{42});
  // The timestamp of another source, 42 too, is what 10 ms at 90 kHz make of it.
  now_ += 10ms;
  write(*stream, packet_of(1, Ssrc{2}));
  EXPECT_EQ(stream->timestamp_of(Timestamp{42}), Timestamp{42 + 900});
}

TEST_F(ForwardedStreamTest, NeedsTheRoomThatItStates) {
  auto stream = ForwardedStream::make(with_elements());
  ASSERT_TRUE(stream);
  const auto packet = packet_of(7);
  const auto read = *read_packet(packet);
  const std::size_t room = stream->max_size(read);
  const auto out = std::span(out_);
  EXPECT_EQ(stream->write(read, departure(), out.first(room - 1)),
            tl::unexpected(NotForwarded::buffer_too_small));
  EXPECT_TRUE(stream->write(read, departure(), out.first(room)));
  EXPECT_EQ(stream->write_again(SequenceNumber{7}, read, out.first(room - 1)),
            tl::unexpected(NotForwarded::buffer_too_small));
  EXPECT_TRUE(stream->write_again(SequenceNumber{7}, read, out.first(room)));
  EXPECT_EQ(stream->write_rtx(SequenceNumber{7}, read, departure(), out.first(room - 1)),
            tl::unexpected(NotForwarded::buffer_too_small));
  EXPECT_TRUE(stream->write_rtx(SequenceNumber{7}, read, departure(), out.first(room)));
}

// ---- sending again

TEST_F(ForwardedStreamTest, WritesThePacketAgainToTheByte) {
  auto stream = ForwardedStream::make(with_elements());
  ASSERT_TRUE(stream);
  const auto first = packet_of(7);
  const auto sent = write(*stream, first);
  // Another source takes over meanwhile, and time passes.
  now_ += 5s;
  write(*stream, packet_of(900, Ssrc{5}));
  const auto origin = stream->origin_of(SequenceNumber{7});
  ASSERT_TRUE(origin);
  EXPECT_EQ(origin->source, kOrigin);
  EXPECT_EQ(origin->number, SequenceNumber{7});
  EXPECT_EQ(text_of(stream->write_again(SequenceNumber{7}, *read_packet(first), out_)), sent);
  EXPECT_EQ(stream->sent().packets, 2U);
}

TEST_F(ForwardedStreamTest, WritesRtx) {
  auto stream = ForwardedStream::make(with_elements());
  ASSERT_TRUE(stream);
  const auto packet = packet_of(7);
  write(*stream, packet);
  now_ += 1s;
  // RFC 4588 section 4: the original sequence number comes before the payload. The repaired RID is
  // in the place of the RID.
  const std::string behind_the_number =
      "0000002a0a0b0c0d99999999bede0004"
      "1076"
      "616869"
      "70ff"
      "42080000"
      "51ffff"
      "0000"
      "0007"
      "aabbcc";
  EXPECT_EQ(text_of(stream->write_rtx(SequenceNumber{7}, *read_packet(packet), departure(), out_)),
            "91e50000" + behind_the_number);
  EXPECT_EQ(transport_number_, SequenceNumber{0});
  const auto again = stream->write_rtx(SequenceNumber{7}, *read_packet(packet), departure(), out_);
  EXPECT_EQ(text_of(again).substr(0, 8), "91e50001");
}

TEST_F(ForwardedStreamTest, OnlyWhatWasSentIsRepeated) {
  auto stream = ForwardedStream::make(with_elements());
  ASSERT_TRUE(stream);
  const auto seventh = packet_of(7);
  const auto eighth = packet_of(8);
  write(*stream, seventh);
  const auto refusal = tl::unexpected(NotForwarded::not_repeatable);
  for (const auto& [number, packet] : {std::pair{8, &eighth}, {7, &eighth}}) {
    const SequenceNumber asked{static_cast<std::uint16_t>(number)};
    EXPECT_EQ(stream->write_again(asked, *read_packet(*packet), out_), refusal);
    EXPECT_EQ(stream->write_rtx(asked, *read_packet(*packet), departure(), out_), refusal);
  }
  const auto foreign = packet_of(7, Ssrc{5});
  EXPECT_EQ(stream->write_again(SequenceNumber{7}, *read_packet(foreign), out_), refusal);
  EXPECT_FALSE(stream->origin_of(SequenceNumber{6}));
  // 64 packets later nothing is known of it.
  for (std::uint16_t number = 8; number < 7 + 64; ++number) write(*stream, packet_of(number));
  EXPECT_TRUE(stream->origin_of(SequenceNumber{7}));
  write(*stream, packet_of(7 + 64));
  EXPECT_FALSE(stream->origin_of(SequenceNumber{7}));
}

// It has the place of one that is newer in the ring.
TEST_F(ForwardedStreamTest, OneThatIsTooLateTakesNoPlaceOfANewerOne) {
  auto stream = ForwardedStream::make(with_elements());
  ASSERT_TRUE(stream);
  write(*stream, packet_of(7));
  for (std::uint16_t number = 9; number <= 8 + 64; ++number) write(*stream, packet_of(number));
  ASSERT_TRUE(stream->origin_of(SequenceNumber{8 + 64}));
  EXPECT_NE(write(*stream, packet_of(8)), "late") << "it is forwarded";
  EXPECT_FALSE(stream->origin_of(SequenceNumber{8}));
  const auto newest = stream->origin_of(SequenceNumber{8 + 64});
  ASSERT_TRUE(newest);
  EXPECT_EQ(newest->number, SequenceNumber{8 + 64});
}

TEST_F(ForwardedStreamTest, WhatIsForgottenIsNotRepeated) {
  auto stream = ForwardedStream::make(with_elements());
  ASSERT_TRUE(stream);
  const auto packet = packet_of(7);
  write(*stream, packet);
  stream->forget_sent();
  EXPECT_FALSE(stream->origin_of(SequenceNumber{7}));
  EXPECT_EQ(stream->write_again(SequenceNumber{7}, *read_packet(packet), out_),
            tl::unexpected(NotForwarded::not_repeatable));
  write(*stream, packet_of(8));
  EXPECT_TRUE(stream->origin_of(SequenceNumber{8}));
}

TEST_F(ForwardedStreamTest, WithoutAWindowNothingIsRepeated) {
  ForwardOptions options = agreed();
  options.repeat_window = 0;
  auto stream = ForwardedStream::make(options);
  ASSERT_TRUE(stream);
  const auto packet = packet_of(7);
  write(*stream, packet);
  EXPECT_FALSE(stream->origin_of(SequenceNumber{7}));
  EXPECT_FALSE(stream->write_again(SequenceNumber{7}, *read_packet(packet), out_));
}

TEST_F(ForwardedStreamTest, WithoutRtxThereIsNoneToWrite) {
  auto stream = ForwardedStream::make(agreed());
  ASSERT_TRUE(stream);
  const auto packet = packet_of(7);
  write(*stream, packet);
  EXPECT_EQ(stream->write_rtx(SequenceNumber{7}, *read_packet(packet), departure(), out_),
            tl::unexpected(NotForwarded::not_repeatable));
}

// ---- options

TEST(ForwardOptions, WhatIsNotPossibleIsRefused) {
  struct Case {
    const char* name;
    WriteError error;
    std::function<void(ForwardOptions&)> change;
  };
  const Case cases[] = {
      {"payload type", WriteError::out_of_range,
       [](auto& options) { options.payload_types[0] = PayloadType{128}; }},
      {"payload type of RTX", WriteError::out_of_range,
       [](auto& options) { options.rtx->payload_types[0] = PayloadType{255}; }},
      {"clock rate", WriteError::out_of_range, [](auto& options) { options.clock_rate = 0; }},
      {"window", WriteError::out_of_range, [](auto& options) { options.repeat_window = 32'769; }},
      {"ID above 14", WriteError::out_of_range,
       [](auto& options) { options.extension_ids[8] = 15; }},
      {"own ID above 14", WriteError::out_of_range,
       [](auto& options) { options.absolute_send_time = ExtensionId{15}; }},
      {"ID of 0", WriteError::out_of_range,
       [](auto& options) { options.transport_sequence_number = ExtensionId{}; }},
      {"ID of a text", WriteError::out_of_range,
       [](auto& options) { options.mid->id = ExtensionId{15}; }},
      {"ID 0 of a text", WriteError::out_of_range,
       [](auto& options) { options.rid->id = ExtensionId{}; }},
      {"one ID for two of the sender's", WriteError::out_of_range,
       [](auto& options) { options.extension_ids[8] = options.extension_ids[9] = 9; }},
      {"the sender's ID for a text", WriteError::out_of_range,
       [](auto& options) { options.extension_ids[8] = 1; }},
      {"the repaired RID's ID for another", WriteError::out_of_range,
       [](auto& options) { options.absolute_send_time = ExtensionId{6}; }},
      {"an empty text", WriteError::too_long, [](auto& options) { options.mid->text = ""; }},
      {"an empty text in the two-byte form", WriteError::too_long,
       [](auto& options) {
         options.extension_form = ExtensionForm::two_byte;
         options.rid->text = "";
       }},
      {"a text of 17 bytes", WriteError::too_long,
       [](auto& options) { options.rid->text = "12345678901234567"; }},
      {"a repaired RID without RID", WriteError::too_long,
       [](auto& options) { options.rid.reset(); }},
  };
  EXPECT_TRUE(ForwardedStream::make(with_elements()));
  for (const auto& each : cases) {
    ForwardOptions options = with_elements();
    each.change(options);
    const auto made = ForwardedStream::make(options);
    ASSERT_FALSE(made) << each.name;
    EXPECT_EQ(made.error(), each.error) << each.name;
  }
}

TEST_F(ForwardedStreamTest, AllocatesNothing) {
  auto stream = ForwardedStream::make(with_elements());
  ASSERT_TRUE(stream);
  const auto packet = packet_of(7);
  const auto other = packet_of(1, Ssrc{5});
  const auto before = test::allocations().count;
  EXPECT_TRUE(stream->write(*read_packet(packet), departure(), out_));
  EXPECT_TRUE(stream->write(*read_packet(other), departure(), out_));
  EXPECT_TRUE(stream->write_again(SequenceNumber{7}, *read_packet(packet), out_));
  EXPECT_TRUE(stream->write_rtx(SequenceNumber{7}, *read_packet(packet), departure(), out_));
  EXPECT_EQ(test::allocations().count, before);
}

// ---- a stream that moves

TEST_F(ForwardedStreamTest, GoesOnFromItsState) {
  auto stream = *ForwardedStream::make(with_elements());
  write(stream, packet_of(10));
  write(stream, packet_of(12));
  const auto first = packet_of(10);
  ASSERT_TRUE(stream.write_rtx(SequenceNumber{10}, *read_packet(first), departure(), out_));
  const auto sent = stream.sent();
  auto moved = *ForwardedStream::restore(with_elements(), std::move(stream).state(now_), now_);
  EXPECT_EQ(moved.sent().packets, sent.packets);
  EXPECT_EQ(moved.sent().payload_bytes, sent.payload_bytes);
  EXPECT_EQ(moved.ssrc(), with_elements().ssrc);
  const auto packet = packet_of(13);
  const auto size = moved.write(*read_packet(packet), departure(), out_);
  ASSERT_TRUE(size);
  EXPECT_EQ(read_packet(std::span(out_).first(*size))->sequence_number, SequenceNumber{13});
  // The second one of the RTX stream.
  const auto again = moved.write_rtx(SequenceNumber{13}, *read_packet(packet), departure(), out_);
  ASSERT_TRUE(again);
  EXPECT_EQ(read_packet(std::span(out_).first(*again))->sequence_number, SequenceNumber{1});
}

TEST_F(ForwardedStreamTest, WhatWasSentBeforeAMoveCannotBeSentAgain) {
  auto stream = *ForwardedStream::make(with_elements());
  write(stream, packet_of(10));
  const auto moved =
      *ForwardedStream::restore(with_elements(), std::move(stream).state(now_), now_);
  EXPECT_FALSE(moved.origin_of(SequenceNumber{10}));
  const auto packet = packet_of(10);
  EXPECT_EQ(moved.write_again(SequenceNumber{10}, *read_packet(packet), out_),
            tl::unexpected(NotForwarded::not_repeatable));
}

TEST_F(ForwardedStreamTest, AnotherSourceGoesOnAfterAMove) {
  auto stream = *ForwardedStream::make(agreed());
  write(stream, packet_of(10));
  auto moved = *ForwardedStream::restore(agreed(), std::move(stream).state(now_), now_);
  const auto packet = packet_of(40'000, Ssrc{5});
  const auto size = moved.write(*read_packet(packet), departure(), out_);
  ASSERT_TRUE(size);
  EXPECT_EQ(read_packet(std::span(out_).first(*size))->sequence_number, SequenceNumber{11});
}

TEST_F(ForwardedStreamTest, IsNotRestoredWithOptionsThatContradictEachOther) {
  auto options = agreed();
  options.clock_rate = 0;
  EXPECT_EQ(ForwardedStream::restore(options, {}, now_).error(), WriteError::out_of_range);
}

}  // namespace
}  // namespace sluice::rtp
