#include "record/inner_plaintext.h"

#include <gtest/gtest.h>

#include "support/bytes.h"

namespace sluice::dtls::record {
namespace {

using test::from_hex;
using test::to_hex;

constexpr std::size_t kLargest = 16384;

// RFC 8446 section 5.2: content, type, zeros.
TEST(InnerPlaintext, IsWrittenAsTheRfcHasIt) {
  Buffer out(6, std::byte{0xee});
  write_inner_plaintext(wire::ContentType::alert, from_hex("0100"), out);
  EXPECT_EQ(to_hex(out), "010015000000");
}

TEST(InnerPlaintext, MayBeWrittenInPlaceAndWithoutContents) {
  Buffer out = from_hex("aabb eeee");
  write_inner_plaintext(wire::ContentType::application_data, MutableBytes(out).first(2), out);
  EXPECT_EQ(to_hex(out), "aabb1700");
  write_inner_plaintext(wire::ContentType::handshake, {}, MutableBytes(out).first(1));
  EXPECT_EQ(to_hex(out), "16bb1700");
}

// The contents may end in zeros: the type is the last octet that is not zero.
TEST(InnerPlaintext, IsReadAsItWasWritten) {
  for (const auto* const contents : {"", "00", "0000", "aa00", "00aa"}) {
    for (std::size_t padding = 0; padding < 3; ++padding) {
      Buffer inner(from_hex(contents).size() + kInnerTypeSize + padding);
      write_inner_plaintext(wire::ContentType::ack, from_hex(contents), inner);
      const InnerPlaintext read = strip_inner_plaintext(inner, kLargest);
      EXPECT_EQ(read.type, wire::ContentType::ack);
      EXPECT_EQ(to_hex(read.contents), contents);
      EXPECT_EQ(read.contents.data(), inner.data());
    }
  }
}

// RFC 8446 section 5.4: without an octet that is not zero there is no type.
TEST(InnerPlaintext, OfZerosAloneHasTypeZero) {
  for (const auto* const bytes : {"", "00", "000000"}) {
    Buffer inner = from_hex(bytes);
    const InnerPlaintext read = strip_inner_plaintext(inner, kLargest);
    EXPECT_EQ(read.type, wire::ContentType{0});
    EXPECT_TRUE(read.contents.empty());
  }
}

// RFC 8446 section 5.4: the limit counts padding.
TEST(InnerPlaintext, AboveTheLimitComesBackWhole) {
  Buffer inner = from_hex("aabb 17 00");
  EXPECT_EQ(to_hex(strip_inner_plaintext(inner, 3).contents), "aabb");
  const InnerPlaintext read = strip_inner_plaintext(inner, 2);
  EXPECT_GT(read.contents.size(), 2U);
  EXPECT_EQ(to_hex(read.contents), "aabb1700");
}

}  // namespace
}  // namespace sluice::dtls::record
