// The values of attributes: sizes, ranges, the first of several, unknown ones.
#include <gtest/gtest.h>

#include "support/stun_messages.h"

namespace sluice::stun {
namespace {

using dtls::Buffer;
using test::binding_request;
using test::from_hex;
using test::stun_attribute;

std::string error_with(AttributeType type, dtls::Bytes value) {
  const Buffer bytes = binding_request({stun_attribute(type, value)});
  const auto message = decode(bytes);
  return message ? "none" : std::string(to_string(message.error()));
}

TEST(StunAttributes, NumbersAndFlagsHaveOneSize) {
  struct Row {
    AttributeType type;
    std::size_t size;
  };
  for (const auto& [type, right] :
       {Row{AttributeType::priority, 4}, Row{AttributeType::use_candidate, 0},
        Row{AttributeType::ice_controlled, 8}, Row{AttributeType::ice_controlling, 8},
        Row{AttributeType::nomination, 4}, Row{AttributeType::message_integrity, 20}}) {
    for (std::size_t size = 0; size <= 32; ++size) {
      EXPECT_EQ(error_with(type, Buffer(size)), size == right ? "none" : "wrong_attribute_size")
          << static_cast<int>(type) << " " << size;
    }
  }
}

TEST(StunAttributes, ValuesAreShown) {
  const Buffer bytes = binding_request(
      {stun_attribute(AttributeType::username, test::bytes_of("a:b")),
       stun_attribute(AttributeType::priority, from_hex("6e0001ff")),
       stun_attribute(AttributeType::use_candidate, {}),
       stun_attribute(AttributeType::ice_controlling, from_hex("932ff9b151263b36")),
       stun_attribute(AttributeType::ice_controlled, from_hex("0000000000000001")),
       stun_attribute(AttributeType::nomination, from_hex("00000102")),
       stun_attribute(AttributeType::software, test::bytes_of("agent")),
       stun_attribute(AttributeType::dtls_in_stun, from_hex("16fefd")),
       stun_attribute(AttributeType::dtls_in_stun_ack, from_hex("0102030405060708"))});
  const auto message = decode(bytes);
  ASSERT_TRUE(message);
  EXPECT_EQ(test::copy_of(*message->username), test::buffer_of("a:b"));
  EXPECT_EQ(message->priority, 0x6e0001ffU);
  EXPECT_TRUE(message->use_candidate);
  EXPECT_EQ(message->ice_controlling, 0x932ff9b151263b36U);
  EXPECT_EQ(message->ice_controlled, 1U);
  EXPECT_EQ(message->nomination, 0x102U);
  EXPECT_EQ(test::copy_of(*message->software), test::buffer_of("agent"));
  EXPECT_EQ(test::to_hex(*message->dtls_in_stun), "16fefd");
  EXPECT_EQ(test::to_hex(*message->dtls_in_stun_ack), "0102030405060708");
  EXPECT_TRUE(message->unknown.empty());
}

// RFC 8489 sections 14.3, 14.8 and 14.14: up to 763 bytes must be taken.
TEST(StunAttributes, TextsHaveAtMost763Bytes) {
  for (const auto type : {AttributeType::username, AttributeType::software}) {
    EXPECT_EQ(error_with(type, Buffer(763)), "none");
    EXPECT_EQ(error_with(type, Buffer(764)), "wrong_attribute_size");
  }
  Buffer reason = from_hex("00000300");
  reason.resize(4 + 763);
  EXPECT_EQ(error_with(AttributeType::error_code, reason), "none");
  reason.push_back({});
  EXPECT_EQ(error_with(AttributeType::error_code, reason), "wrong_attribute_size");
}

// RFC 8489 section 14.1; the first byte is ignored.
TEST(StunAttributes, AddressesHaveTheSizeOfTheirFamily) {
  for (const auto type : {AttributeType::mapped_address, AttributeType::xor_mapped_address}) {
    for (std::size_t size = 0; size <= 32; ++size) {
      Buffer value(size);
      if (size >= 2) value[1] = std::byte{1};
      EXPECT_EQ(error_with(type, value), size == 8 ? "none" : "wrong_attribute_size") << size;
      if (size >= 2) value[1] = std::byte{2};
      EXPECT_EQ(error_with(type, value), size == 20 ? "none" : "wrong_attribute_size") << size;
    }
    EXPECT_EQ(error_with(type, from_hex("ff01 0102 01020304")), "none");
    for (const auto* family : {"0000", "0003", "00ff"}) {
      EXPECT_EQ(error_with(type, from_hex(family + std::string("0102 01020304"))),
                "unknown_family");
    }
  }
}

TEST(StunAttributes, MappedAddressesAreAsTheyStand) {
  const Buffer bytes = binding_request(
      {stun_attribute(AttributeType::mapped_address, from_hex("0001 8055 c0000201")),
       stun_attribute(AttributeType::xor_mapped_address,
                      from_hex("0002 a147 0113a9fa a5d3f179 bc25f4b5 bed2b9d9"))});
  const auto message = decode(bytes);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->mapped_address, test::kIpv4Endpoint);
  EXPECT_EQ(message->xor_mapped_address, test::kIpv6Endpoint);
}

// RFC 8489 section 14.8.
TEST(StunAttributes, ErrorCodesAreFrom300To699) {
  const auto code_of = [](const std::string& value) -> int {
    const Buffer bytes =
        test::stun_message(0x0111, {stun_attribute(AttributeType::error_code, from_hex(value))});
    const auto message = decode(bytes);
    if (!message) {
      EXPECT_EQ(message.error(), DecodeError::wrong_error_code);
      return 0;
    }
    return message->error_code.value();
  };
  EXPECT_EQ(code_of("00000300"), 300);
  EXPECT_EQ(code_of("00000457"), 487);
  EXPECT_EQ(code_of("00000663"), 699);
  EXPECT_EQ(code_of("fffffc14"), 420) << "the reserved bits are ignored";
  EXPECT_EQ(code_of("00000263"), 0);
  EXPECT_EQ(code_of("00000700"), 0);
  EXPECT_EQ(code_of("00000464"), 0) << "a number of 100";
  EXPECT_EQ(error_with(AttributeType::error_code, from_hex("000004")), "wrong_attribute_size");

  const Buffer bytes = test::stun_message(
      0x0111, {stun_attribute(AttributeType::error_code, from_hex("00000457 526f6c65"))});
  EXPECT_EQ(test::to_hex(decode(bytes).value().error_reason), "526f6c65");
}

// RFC 8489 section 14.9.
TEST(StunAttributes, UnknownAttributesOfThePeerAreListed) {
  const Buffer bytes = test::stun_message(
      0x0111, {stun_attribute(AttributeType::unknown_attributes, from_hex("7f01 7f02 7f01"))});
  const auto message = decode(bytes);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->unknown_to_peer, test::unknown_types({0x7f01, 0x7f02}));
  EXPECT_EQ(error_with(AttributeType::unknown_attributes, from_hex("7f01 7f")),
            "wrong_attribute_size");
  EXPECT_EQ(error_with(AttributeType::unknown_attributes, Buffer(40)), "none");
}

TEST(StunAttributes, DtlsInStunAcksAreFourBytesEach) {
  for (std::size_t size = 0; size <= 40; ++size) {
    EXPECT_EQ(error_with(AttributeType::dtls_in_stun_ack, Buffer(size)),
              size % 4 == 0 ? "none" : "wrong_attribute_size");
    EXPECT_EQ(error_with(AttributeType::dtls_in_stun, Buffer(size)), "none");
  }
}

// RFC 8489 section 14: any later ones are ignored, whatever they contain.
TEST(StunAttributes, OnlyTheFirstOfATypeCounts) {
  struct Row {
    AttributeType type;
    const char* first;
  };
  for (const auto& [type, first] :
       {Row{AttributeType::username, "61"}, Row{AttributeType::priority, "00000001"},
        Row{AttributeType::use_candidate, ""},
        Row{AttributeType::ice_controlling, "0000000000000001"},
        Row{AttributeType::ice_controlled, "0000000000000001"},
        Row{AttributeType::nomination, "00000001"},
        Row{AttributeType::xor_mapped_address, "0001 0001 00000001"},
        Row{AttributeType::mapped_address, "0001 0001 00000001"},
        Row{AttributeType::error_code, "00000457"}, Row{AttributeType::unknown_attributes, "7f01"},
        Row{AttributeType::software, "61"}, Row{AttributeType::dtls_in_stun, "16"},
        Row{AttributeType::dtls_in_stun_ack, "00000001"}}) {
    const Buffer one = binding_request({stun_attribute(type, from_hex(first))});
    const Buffer two = binding_request(
        {stun_attribute(type, from_hex(first)), stun_attribute(type, Buffer(777, std::byte{9}))});
    const auto a = decode(one);
    const auto b = decode(two);
    ASSERT_TRUE(a && b) << static_cast<int>(type);
    EXPECT_TRUE(test::same_fields(*a, *b)) << static_cast<int>(type);
  }
}

// RFC 8489 section 14: below 0x8000 an attribute must be understood, from there on it need not be.
TEST(StunAttributes, UnknownOnesThatMustBeUnderstoodAreListed) {
  std::vector<Buffer> attributes;
  for (const int type : {0x8000, 0xffff, 0x7fff, 0x0002, 0x7fff, 0x001c, 0x0014, 0x0015}) {
    attributes.push_back(stun_attribute(static_cast<AttributeType>(type), from_hex("00")));
  }
  const Buffer bytes = binding_request(attributes);
  const auto message = decode(bytes);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->unknown, test::unknown_types({0x7fff, 0x0002, 0x001c}));
}

TEST(StunAttributes, AtMostEightUnknownOnesAreListed) {
  UnknownAttributes unknown;
  EXPECT_TRUE(unknown.empty());
  for (std::uint16_t i = 0; i < 100; ++i) unknown.add(AttributeType{i});
  EXPECT_FALSE(unknown.empty());
  ASSERT_EQ(unknown.types().size(), 8U);
  EXPECT_EQ(unknown.types().back(), AttributeType{7});
  EXPECT_NE(unknown, UnknownAttributes{});
}

}  // namespace
}  // namespace sluice::stun
