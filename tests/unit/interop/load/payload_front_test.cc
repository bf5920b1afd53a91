#include "load/payload_front.h"

#include <gtest/gtest.h>

#include <array>

#include "support/bytes.h"

namespace sluice::interop::load {
namespace {

using test::from_hex;
using test::to_hex;

std::string front_in_hex(const PayloadFront& front) {
  std::array<std::byte, kMaxPayloadFront> bytes{};
  return to_hex(dtls::Bytes(bytes).first(write_front(front, bytes)));
}

// RFC 7741 section 4.2 and RFC 6386 section 9.1, front_in_hex by hand.
TEST(PayloadFront, IsOfVp8) {
  EXPECT_EQ(front_in_hex({.begins_frame = true, .is_key_frame = true, .picture = 0x1234}),
            "9080923410000"
            "09d012a80026801");
  EXPECT_EQ(front_in_hex({.begins_frame = true, .picture = 1}), "90808001110000");
  EXPECT_EQ(front_in_hex({.picture = 0x7fff}), "8080ffff");
}

TEST(PayloadFront, IsOfOpus) { EXPECT_EQ(front_in_hex({.kind = SectionKind::audio}), "f8"); }

TEST(PayloadFront, IsReadBack) {
  for (const PayloadFront& front :
       {PayloadFront{.begins_frame = true, .is_key_frame = true, .picture = 5},
        PayloadFront{.begins_frame = true, .picture = 200}, PayloadFront{.picture = 300},
        PayloadFront{.kind = SectionKind::audio}}) {
    std::array<std::byte, kMaxPayloadFront + 1> bytes{};
    const std::size_t size = write_front(front, bytes);
    const auto read = read_front(front.kind, dtls::Bytes(bytes).first(size + 1));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->size, size);
    EXPECT_EQ(read->is_key_frame, front.is_key_frame);
  }
}

// A server may write another one: without extensions, with a short picture ID, with all fields.
TEST(PayloadFront, TakesAnyDescriptor) {
  const auto size = [](const char* hex) {
    const auto front = read_front(SectionKind::video, from_hex(hex));
    return front ? front->size : 0;
  };
  EXPECT_EQ(size("00 aa bb cc"), 1U);
  EXPECT_EQ(size("80 00 aa bb"), 2U);
  EXPECT_EQ(size("80 80 05 aa"), 3U);
  EXPECT_EQ(size("80 80 85 05 aa"), 4U);
  EXPECT_EQ(size("80 f0 85 05 01 21 aa"), 6U);
  EXPECT_EQ(size("80 40 01 aa"), 3U);
  EXPECT_EQ(size("80 20 21 aa"), 3U);
  EXPECT_EQ(size("80 10 21 aa"), 3U);
  EXPECT_EQ(size("11 aa bb cc"), 1U) << "a later partition has no frame tag";
  EXPECT_EQ(size("10 11 00 00 aa"), 4U);
}

TEST(PayloadFront, WhatIsCutOffIsNone) {
  for (const char* hex :
       {"", "90 80 80", "90 80 80 01", "10 11 00", "10 10 00 00 9d 01 2a 80 02 68"}) {
    EXPECT_FALSE(read_front(SectionKind::video, from_hex(hex))) << hex;
  }
  EXPECT_FALSE(read_front(SectionKind::audio, {}));
}

}  // namespace
}  // namespace sluice::interop::load
