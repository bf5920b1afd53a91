// Headers, lengths and sizes.
#include <gtest/gtest.h>

#include <set>

#include "support/stun_messages.h"

namespace sluice::stun {
namespace {

using dtls::Buffer;
using test::binding_request;
using test::from_hex;
using test::stun_attribute;

std::string error_of(dtls::Bytes datagram) {
  const auto message = decode(datagram);
  return message ? "none" : std::string(to_string(message.error()));
}

TEST(StunDecode, EachErrorHasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kDecodeErrors; ++i) {
    names.insert(to_string(static_cast<DecodeError>(i)));
  }
  EXPECT_EQ(names.size(), kDecodeErrors);
  EXPECT_FALSE(names.contains("unknown"));
  EXPECT_EQ(to_string(static_cast<DecodeError>(kDecodeErrors)), "unknown");
}

TEST(StunDecode, AHeaderAloneIsAMessage) {
  const Buffer bytes = binding_request({});
  const auto message = decode(bytes);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->bytes.data(), bytes.data());
  EXPECT_EQ(message->bytes.size(), kHeaderSize);
  EXPECT_EQ(message->message_class, MessageClass::request);
  EXPECT_EQ(message->method, Method::binding);
  EXPECT_EQ(message->transaction, test::kTransaction);
  EXPECT_FALSE(message->username || message->priority || message->use_candidate ||
               message->ice_controlling || message->ice_controlled || message->nomination ||
               message->xor_mapped_address || message->mapped_address || message->error_code ||
               message->unknown_to_peer || message->software || message->dtls_in_stun ||
               message->dtls_in_stun_ack || message->integrity_at || message->has_fingerprint);
  EXPECT_TRUE(message->unknown.empty());
}

TEST(StunDecode, AnEmptyDatagramAndPartsOfAHeaderAreTooShort) {
  const Buffer bytes = binding_request({});
  for (std::size_t size = 0; size < kHeaderSize; ++size) {
    EXPECT_EQ(error_of(test::copy_of(dtls::Bytes(bytes).first(size))), "too_short") << size;
  }
}

// RFC 8489 section 5, figure 3.
TEST(StunDecode, ClassesAndMethodsShareTheType) {
  const auto decoded = [](std::uint16_t type) {
    const Buffer bytes = test::stun_message(type, {});
    const auto message = decode(bytes);
    return std::pair(message.value().message_class, static_cast<int>(message.value().method));
  };
  EXPECT_EQ(decoded(0x0001), std::pair(MessageClass::request, 0x001));
  EXPECT_EQ(decoded(0x0011), std::pair(MessageClass::indication, 0x001));
  EXPECT_EQ(decoded(0x0101), std::pair(MessageClass::success_response, 0x001));
  EXPECT_EQ(decoded(0x0111), std::pair(MessageClass::error_response, 0x001));
  EXPECT_EQ(decoded(0x3eef), std::pair(MessageClass::request, 0xfff));
  EXPECT_EQ(decoded(0x0020), std::pair(MessageClass::request, 0x010));
  EXPECT_EQ(decoded(0x0200), std::pair(MessageClass::request, 0x080));
}

// RFC 8489 section 5: the two most significant bits are zero.
TEST(StunDecode, TheFirstTwoBitsTellStunApart) {
  for (const std::uint16_t type : std::array<std::uint16_t, 3>{0x4001, 0x8001, 0xc001}) {
    EXPECT_EQ(error_of(test::stun_message(type, {})), "not_stun") << type;
  }
}

TEST(StunDecode, TheMagicCookieMustBeRight) {
  for (std::size_t at = 4; at < 8; ++at) {
    Buffer bytes = binding_request({});
    bytes[at] ^= std::byte{1};
    EXPECT_EQ(error_of(bytes), "wrong_magic_cookie") << at;
  }
}

TEST(StunDecode, TheLengthIsThatOfTheRest) {
  const Buffer good =
      binding_request({stun_attribute(AttributeType::priority, from_hex("01020304"))});
  EXPECT_EQ(error_of(good), "none");
  for (const unsigned length : {0U, 4U, 7U, 9U, 10U, 12U, 0xffffU}) {
    Buffer bytes = good;
    bytes[2] = static_cast<std::byte>(length >> 8);
    bytes[3] = static_cast<std::byte>(length & 0xff);
    EXPECT_EQ(error_of(bytes), "wrong_length") << length;
  }
  Buffer longer = good;
  longer.resize(longer.size() + 4);
  EXPECT_EQ(error_of(longer), "wrong_length") << "something follows";
}

// A message whose header and datagram agree on a size that is no multiple of four.
TEST(StunDecode, TheLengthIsAMultipleOfFour) {
  for (std::size_t more = 1; more < 4; ++more) {
    Buffer bytes = binding_request({Buffer(4 + more)});
    EXPECT_EQ(error_of(bytes), "wrong_length") << more;
  }
}

TEST(StunDecode, AnAttributeEndsWithinTheMessage) {
  for (const unsigned length : {5U, 8U, 9U, 0xfffdU, 0xffffU}) {
    Buffer attribute = stun_attribute(AttributeType::software, from_hex("01020304"));
    attribute[2] = static_cast<std::byte>(length >> 8);
    attribute[3] = static_cast<std::byte>(length & 0xff);
    EXPECT_EQ(error_of(binding_request({attribute})), "attribute_too_long") << length;
  }
}

TEST(StunDecode, PaddingMayHaveAnyValue) {
  for (std::size_t size = 0; size < 9; ++size) {
    const Buffer name = test::counted(size);
    const Buffer bytes = binding_request(
        {stun_attribute(static_cast<std::uint16_t>(AttributeType::username), name, std::byte{0xee}),
         stun_attribute(AttributeType::priority, from_hex("01020304"))});
    const auto message = decode(bytes);
    ASSERT_TRUE(message) << size;
    EXPECT_EQ(test::copy_of(message->username.value()), name);
    EXPECT_EQ(message->priority, 0x01020304U);
  }
}

// The largest datagrams of UDP, whose attributes are as small or as large as can be.
TEST(StunDecode, DatagramsOf64Kilobytes) {
  constexpr std::size_t kBody = 65484;  // a multiple of four; with the header under UDP's 65,507
  const Buffer one = binding_request({stun_attribute(0xfffe, Buffer(kBody - 4))});
  EXPECT_EQ(error_of(one), "none");

  Buffer many;
  for (std::size_t i = 0; many.size() < kBody; ++i) {
    test::put16(many, 0x7f00 + i % 256);
    test::put16(many, 0);
  }
  const Buffer all_unknown = binding_request({many});
  const auto message = decode(all_unknown);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->unknown.types().size(), UnknownAttributes::kMaxTypes);

  Buffer lying = one;
  lying[kHeaderSize + 2] = std::byte{0xff};
  lying[kHeaderSize + 3] = std::byte{0xff};
  EXPECT_EQ(error_of(lying), "attribute_too_long");

  const Buffer zeros(65507);
  EXPECT_EQ(error_of(zeros), "wrong_magic_cookie");
}

}  // namespace
}  // namespace sluice::stun
