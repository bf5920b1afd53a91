#include "load/recording/packetizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "unit/interop/load/recordings.h"

namespace sluice::interop::load {
namespace {

using testing::Each;
using testing::SizeIs;

constexpr std::size_t kMost = 100;

dtls::Buffer counting(std::size_t size) {
  dtls::Buffer bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * 7 + (i >> 8));
  return bytes;
}

// All payloads without their descriptors of one byte.
dtls::Buffer joined(const std::vector<dtls::Buffer>& payloads) {
  dtls::Buffer all;
  for (const auto& each : payloads) all.insert(all.end(), each.begin() + 1, each.end());
  return all;
}

dtls::Buffer descriptors(const std::vector<dtls::Buffer>& payloads) {
  dtls::Buffer all;
  for (const auto& each : payloads) all.push_back(each.front());
  return all;
}

// RFC 7741 section 4.2: S at the beginning of partition 0.
TEST(Packetizer, DividesVp8) {
  const auto* const vp8 = packetizer_of("VP80");
  const auto frame = vp8_frame(true, 250, 5);
  const auto payloads = vp8->packetize(frame, kMost);
  EXPECT_EQ(descriptors(payloads), (dtls::Buffer{std::byte{0x10}, std::byte{0}, std::byte{0}}));
  EXPECT_EQ(joined(payloads), frame);
  for (std::size_t size = 10; size < 450; ++size) {
    const auto pieces = vp8->packetize(vp8_frame(false, size, 5), kMost);
    EXPECT_EQ(joined(pieces).size(), size);
    EXPECT_EQ(pieces.size(), (size + kMost - 2) / (kMost - 1));
    for (const auto& piece : pieces) EXPECT_LE(piece.size(), kMost);
  }
}

TEST(Packetizer, KnowsKeyFramesOfVp8) {
  const auto* const vp8 = packetizer_of("VP80");
  EXPECT_EQ(vp8->is_key_frame(vp8_frame(true, 20, 1)), true);
  EXPECT_EQ(vp8->is_key_frame(vp8_frame(false, 20, 1)), false);
  auto other = vp8_frame(true, 20, 1);
  other[4] = std::byte{2};
  EXPECT_EQ(vp8->is_key_frame(other), std::nullopt) << "no start code";
  EXPECT_EQ(vp8->is_key_frame(dtls::Buffer(2)), std::nullopt);
}

// RFC 9628 section 4.2: P, B and E.
TEST(Packetizer, DividesVp9) {
  const auto* const vp9 = packetizer_of("VP90");
  auto frame = counting(250);
  frame[0] = std::byte{0x82};  // key frame, profile 0
  EXPECT_EQ(vp9->is_key_frame(frame), true);
  EXPECT_EQ(vp9_profile(frame), 0U);
  auto payloads = vp9->packetize(frame, kMost);
  EXPECT_EQ(descriptors(payloads), (dtls::Buffer{std::byte{0x08}, std::byte{0}, std::byte{0x04}}));
  EXPECT_EQ(joined(payloads), frame);
  frame[0] = std::byte{0x86};  // predicted
  EXPECT_EQ(vp9->is_key_frame(frame), false);
  payloads = vp9->packetize(frame, 300);
  EXPECT_EQ(descriptors(payloads), (dtls::Buffer{std::byte{0x4c}}));
  frame[0] = std::byte{0x92};
  EXPECT_EQ(vp9_profile(frame), 2U);
  frame[0] = std::byte{0x88};  // shows a frame that exists
  EXPECT_EQ(vp9->is_key_frame(frame), false);
  for (const unsigned bad : {0x02U, 0xc2U, 0xb2U}) {
    frame[0] = static_cast<std::byte>(bad);
    EXPECT_EQ(vp9->is_key_frame(frame), std::nullopt) << bad;
  }
}

// ---- AV1

void add_obu(dtls::Buffer& unit, unsigned type, const dtls::Buffer& body) {
  unit.push_back(static_cast<std::byte>(type << 3 | 0x02));
  for (std::size_t size = body.size();; size >>= 7) {
    unit.push_back(static_cast<std::byte>((size & 0x7f) | (size >= 0x80 ? 0x80 : 0)));
    if (size < 0x80) break;
  }
  unit.insert(unit.end(), body.begin(), body.end());
}

dtls::Buffer av1_unit(bool is_key_frame, std::size_t size) {
  dtls::Buffer unit;
  add_obu(unit, 2, {});  // temporal delimiter
  if (is_key_frame) add_obu(unit, 1, counting(11));
  add_obu(unit, 6, counting(size));
  return unit;
}

// The OBUs of the payloads, as a receiver puts them together (RTP Payload Format for AV1 section
// 4.4), and whether the payloads agree on what is cut.
std::vector<dtls::Buffer> obus_of(const std::vector<dtls::Buffer>& payloads) {
  std::vector<dtls::Buffer> obus;
  bool is_cut = false;
  for (const auto& payload : payloads) {
    const auto header = std::to_integer<unsigned>(payload[0]);
    EXPECT_EQ((header & 0x80) != 0, is_cut) << "Z";
    EXPECT_EQ(header & 0x37, 0U) << "W and reserved bits";
    bool joins = is_cut;
    for (std::size_t at = 1; at < payload.size();) {
      std::size_t size = 0;
      for (unsigned shift = 0;; shift += 7) {
        const auto byte = std::to_integer<std::size_t>(payload.at(at++));
        size |= (byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) break;
      }
      EXPECT_GT(size, 0U);
      if (!joins) obus.emplace_back();
      joins = false;
      const auto begin = payload.begin() + static_cast<long>(at);
      obus.back().insert(obus.back().end(), begin, begin + static_cast<long>(size));
      at += size;
    }
    is_cut = (header & 0x40) != 0;
  }
  EXPECT_FALSE(is_cut) << "Y of the last one";
  return obus;
}

TEST(Packetizer, DividesAv1) {
  const auto* const av1 = packetizer_of("AV01");
  for (const std::size_t most : {16U, 17U, 100U, 130U, 131U, 1200U}) {
    for (std::size_t size = 1; size < 600; size += 3) {
      const auto payloads = av1->packetize(av1_unit(true, size), most);
      for (const auto& each : payloads) {
        ASSERT_LE(each.size(), most);
        ASSERT_GT(each.size(), 1U);
      }
      const auto obus = obus_of(payloads);
      ASSERT_THAT(obus, SizeIs(2)) << "without the temporal delimiter";
      dtls::Buffer frame{std::byte{6U << 3}};
      const auto body = counting(size);
      frame.insert(frame.end(), body.begin(), body.end());
      ASSERT_EQ(obus[1], frame) << most << ", " << size;
      EXPECT_EQ(payloads.front().front() & std::byte{0x08}, std::byte{0x08}) << "N";
    }
  }
  EXPECT_EQ(av1->packetize(av1_unit(false, 10), 100).front().front(), std::byte{0});
}

TEST(Packetizer, KnowsKeyFramesOfAv1) {
  const auto* const av1 = packetizer_of("AV01");
  EXPECT_EQ(av1->is_key_frame(av1_unit(true, 50)), true);
  EXPECT_EQ(av1->is_key_frame(av1_unit(false, 50)), false);
  const auto unit = av1_unit(true, 50);
  for (std::size_t size = 3; size < unit.size(); ++size) {
    if (size == 2 + 13) continue;  // it ends behind an OBU
    const auto part = dtls::Buffer(unit.begin(), unit.begin() + static_cast<long>(size));
    EXPECT_EQ(av1->is_key_frame(part), std::nullopt) << size;
  }
  dtls::Buffer delimiter;
  add_obu(delimiter, 2, {});
  EXPECT_EQ(av1->is_key_frame(delimiter), std::nullopt) << "nothing to send";
  EXPECT_EQ(av1->is_key_frame(dtls::Buffer{std::byte{6U << 3}, std::byte{1}}), std::nullopt)
      << "an OBU without its size";
  dtls::Buffer endless(12, std::byte{0xff});
  endless[0] = std::byte{6U << 3 | 2};
  EXPECT_EQ(av1->is_key_frame(endless), std::nullopt);
}

TEST(Packetizer, OthersAreNotThere) {
  EXPECT_EQ(packetizer_of("H264"), nullptr);
  EXPECT_EQ(packetizer_of(""), nullptr);
}

}  // namespace
}  // namespace sluice::interop::load
