// What is written is read as it was; a packet that was cut off anywhere is refused, or read as
// something that can be written again.
#include <gtest/gtest.h>
#include <sluice/rtp/extension.h>
#include <sluice/rtp/packet.h>
#include <sluice/rtp/rtcp.h>

#include <array>
#include <random>
#include <string>
#include <vector>

#include "support/bytes.h"

namespace sluice::rtp {
namespace {

using dtls::Buffer;

constexpr int kRounds = 300;

// Values by chance, small and large ones.
class Chance {
 public:
  explicit Chance(std::uint64_t seed) : engine_(seed) {}

  std::uint64_t below(std::uint64_t limit) { return engine_() % limit; }
  template <class Number>
  Number any() {
    return static_cast<Number>(engine_());
  }
  Buffer bytes(std::size_t size) {
    Buffer made(size);
    for (auto& byte : made) byte = static_cast<std::byte>(engine_());
    return made;
  }
  std::string text(std::size_t max) {
    std::string made(below(max + 1), ' ');
    for (auto& c : made) c = static_cast<char>('!' + below(90));
    return made;
  }
  template <class Make>
  auto list(std::size_t min, std::size_t max, Make make) {
    std::vector<decltype(make())> items(min + below(max - min + 1));
    for (auto& item : items) item = make();
    return items;
  }

 private:
  std::mt19937_64 engine_;
};

class RtpRoundTrip : public testing::TestWithParam<int> {
 protected:
  Chance chance_{static_cast<std::uint64_t>(GetParam())};
  std::array<std::byte, 8192> out_{};
};

// ---- RTP

void expect_same(const Packet& a, const Packet& b) {
  EXPECT_EQ(a.marker, b.marker);
  EXPECT_EQ(a.payload_type, b.payload_type);
  EXPECT_EQ(a.sequence_number, b.sequence_number);
  EXPECT_EQ(a.timestamp, b.timestamp);
  EXPECT_EQ(a.ssrc, b.ssrc);
  EXPECT_EQ(a.contributing_sources, b.contributing_sources);
  EXPECT_EQ(a.has_extension, b.has_extension);
  EXPECT_EQ(a.extension.profile, b.extension.profile);
  EXPECT_EQ(test::to_hex(a.extension.body), test::to_hex(b.extension.body));
  EXPECT_EQ(test::to_hex(a.payload), test::to_hex(b.payload));
  EXPECT_EQ(a.padding_size, b.padding_size);
}

TEST_P(RtpRoundTrip, Packet) {
  const auto sources = chance_.list(0, 15, [&] { return chance_.any<Ssrc>(); });
  const Buffer payload = chance_.bytes(chance_.below(50));
  std::array<std::byte, 600> space{};
  const bool one_byte = chance_.below(2) == 0;
  ExtensionWriter writer(one_byte ? ExtensionForm::one_byte : ExtensionForm::two_byte, space);
  std::vector<std::pair<ExtensionId, Buffer>> elements;
  for (std::uint64_t i = chance_.below(5); i > 0; --i) {
    const auto id = ExtensionId{static_cast<std::uint8_t>(1 + elements.size() + chance_.below(2))};
    elements.emplace_back(id, chance_.bytes(one_byte ? 1 + chance_.below(16) : chance_.below(99)));
    ASSERT_TRUE(writer.add(id, elements.back().second));
  }
  Packet packet{.marker = chance_.below(2) == 0,
                .payload_type = PayloadType{static_cast<std::uint8_t>(chance_.below(128))},
                .sequence_number = chance_.any<SequenceNumber>(),
                .timestamp = chance_.any<Timestamp>(),
                .ssrc = chance_.any<Ssrc>(),
                .contributing_sources = std::span<const Ssrc>(sources),
                .payload = payload,
                .padding_size = static_cast<std::uint8_t>(chance_.below(2) * chance_.below(256))};
  if (chance_.below(2) == 0) {
    packet.has_extension = true;
    packet.extension = *writer.finish();
  }
  const auto size = write_packet(packet, out_);
  ASSERT_TRUE(size);
  const Buffer whole = test::copy_of(std::span(out_).first(*size));
  const auto read = read_packet(whole);
  ASSERT_TRUE(read);
  expect_same(*read, packet);
  if (packet.has_extension) {
    ExtensionReader reader(read->extension);
    for (const auto& [id, value] : elements) {
      const auto element = reader.next();
      ASSERT_TRUE(element && *element);
      EXPECT_EQ((*element)->id, id);
      EXPECT_EQ(test::to_hex((*element)->value), test::to_hex(value));
    }
    EXPECT_FALSE(*reader.next());
  }
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const Buffer part = test::copy_of(Bytes{whole}.first(length));
    const auto cut = read_packet(part);
    if (!cut) continue;
    const auto again = write_packet(*cut, out_);
    ASSERT_TRUE(again);
    EXPECT_EQ(*again, length);
  }
}

// ---- RTCP

template <class Written>
void expect_round_trip(const Written& packet, MutableBytes out) {
  CompoundWriter writer(CompoundForm::reduced_size, out);
  ASSERT_TRUE(writer.add(packet));
  const Buffer whole = test::copy_of(writer.compound());
  EXPECT_TRUE(check_compound(whole, CompoundForm::reduced_size));
  CompoundReader reader(whole);
  const auto read = reader.next();
  ASSERT_TRUE(read && *read);
  const auto* same = std::get_if<Written>(&**read);
  ASSERT_NE(same, nullptr);
  EXPECT_TRUE(*same == packet);
  EXPECT_FALSE(reader.next());

  // What was read can be written, to the same bytes.
  CompoundWriter again(CompoundForm::reduced_size, out);
  ASSERT_TRUE(again.add(*same));
  EXPECT_EQ(test::to_hex(again.compound()), test::to_hex(whole));

  for (std::size_t length = 0; length < whole.size(); ++length) {
    const Buffer part = test::copy_of(Bytes{whole}.first(length));
    CompoundReader cut(part);
    const auto first = cut.next();
    ASSERT_TRUE(first);
    EXPECT_FALSE(*first) << length;  // a single packet ends where its length says
  }
  // Cut off, with a length that agrees.
  for (std::size_t length = 4; length < whole.size(); length += 4) {
    Buffer part = test::copy_of(Bytes{whole}.first(length));
    part[2] = std::byte((length / 4 - 1) >> 8);
    part[3] = std::byte(length / 4 - 1);
    CompoundReader cut(part);
    const auto first = cut.next();
    ASSERT_TRUE(first);
    if (!*first) continue;
    CompoundWriter rest(CompoundForm::reduced_size, out);
    EXPECT_TRUE(std::visit([&rest](const auto& p) { return rest.add(p).has_value(); }, **first));
  }
}

TEST_P(RtpRoundTrip, Reports) {
  const auto blocks = chance_.list(0, 31, [&] {
    return ReportBlock{.ssrc = chance_.any<Ssrc>(),
                       .fraction_lost = chance_.any<std::uint8_t>(),
                       .packets_lost = chance_.any<std::int32_t>() >> 8,
                       .highest_sequence_number = chance_.any<std::uint32_t>(),
                       .jitter = chance_.any<std::uint32_t>(),
                       .last_sender_report = chance_.any<CompactNtp>(),
                       .delay_since_last = chance_.any<CompactNtp>()};
  });
  const std::span<const ReportBlock> list(blocks);
  expect_round_trip(ReceiverReport{.sender = chance_.any<Ssrc>(), .blocks = list}, out_);
  expect_round_trip(SenderReport{.sender = chance_.any<Ssrc>(),
                                 .ntp_time = chance_.any<NtpTime>(),
                                 .rtp_timestamp = chance_.any<Timestamp>(),
                                 .packets = chance_.any<std::uint32_t>(),
                                 .octets = chance_.any<std::uint32_t>(),
                                 .blocks = list},
                    out_);
}

TEST_P(RtpRoundTrip, SourceDescription) {
  // Each chunk has up to 3 items.
  std::vector<std::string> texts;
  for (int i = 0; i < 90; ++i) texts.push_back(chance_.text(20));
  std::vector<SdesItem> items;
  for (std::uint32_t chunk = 0; chunk < chance_.below(31); ++chunk) {
    for (std::uint64_t i = 1 + chance_.below(3); i > 0 && items.size() < texts.size(); --i) {
      items.push_back({.source = Ssrc{chunk},
                       .type = SdesType{static_cast<std::uint8_t>(1 + chance_.below(255))},
                       .text = texts[items.size()]});
    }
  }
  expect_round_trip(SourceDescription{items}, out_);
}

TEST_P(RtpRoundTrip, GoodbyeAndBitrate) {
  const auto sources = chance_.list(0, 31, [&] { return chance_.any<Ssrc>(); });
  const std::string reason = chance_.text(255);
  const std::span<const Ssrc> list(sources);
  expect_round_trip(Goodbye{.sources = list, .reason = reason}, out_);
  const std::uint64_t bitrate = chance_.below(1 << 18) << chance_.below(46);
  expect_round_trip(
      MaximumBitrate{.sender = chance_.any<Ssrc>(), .bits_per_second = bitrate, .media = list},
      out_);
}

TEST_P(RtpRoundTrip, Feedback) {
  expect_round_trip(
      PictureLossIndication{.sender = chance_.any<Ssrc>(), .media = chance_.any<Ssrc>()}, out_);
  const auto nacks = chance_.list(1, 50, [&] {
    return NackEntry{.lost = chance_.any<SequenceNumber>(),
                     .following = chance_.any<std::uint16_t>()};
  });
  expect_round_trip(GenericNack{.sender = chance_.any<Ssrc>(),
                                .media = chance_.any<Ssrc>(),
                                .entries = std::span<const NackEntry>(nacks)},
                    out_);
  const auto requests = chance_.list(1, 50, [&] {
    return FullIntraEntry{.media = chance_.any<Ssrc>(),
                          .sequence_number = chance_.any<std::uint8_t>()};
  });
  expect_round_trip(FullIntraRequest{.sender = chance_.any<Ssrc>(),
                                     .entries = std::span<const FullIntraEntry>(requests)},
                    out_);
}

TEST_P(RtpRoundTrip, TransportFeedback) {
  std::vector<PacketStatus> statuses;
  for (std::uint64_t runs = 1 + chance_.below(20); runs > 0; --runs) {
    const std::uint64_t kind = chance_.below(4);
    for (std::uint64_t length = 1 + chance_.below(kind == 3 ? 3 : 40); length > 0; --length) {
      PacketStatus status;
      if (kind == 1) status.delta = static_cast<std::int16_t>(chance_.below(256));
      if (kind == 2) status.delta = chance_.any<std::int16_t>();
      if (kind == 3 && chance_.below(2) == 0) status.delta = std::int16_t{7};
      statuses.push_back(status);
    }
  }
  expect_round_trip(TransportFeedback{.sender = chance_.any<Ssrc>(),
                                      .media = chance_.any<Ssrc>(),
                                      .base = chance_.any<SequenceNumber>(),
                                      .reference_time = chance_.any<std::int32_t>() >> 8,
                                      .number = chance_.any<std::uint8_t>(),
                                      .statuses = std::span<const PacketStatus>(statuses)},
                    out_);
}

INSTANTIATE_TEST_SUITE_P(Seeds, RtpRoundTrip, testing::Range(1, kRounds));

}  // namespace
}  // namespace sluice::rtp
