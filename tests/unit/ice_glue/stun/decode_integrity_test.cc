// MESSAGE-INTEGRITY and FINGERPRINT in what is decoded: their places, and what may follow.
#include <gtest/gtest.h>
#include <sluice/stun/crc32.h>

#include "support/stun_messages.h"

namespace sluice::stun {
namespace {

using dtls::Buffer;
using test::from_hex;
using test::stun_attribute;

// Puts attributes between MESSAGE-INTEGRITY and FINGERPRINT and corrects length and FINGERPRINT, as
// an attacker can who does not have the password.
Buffer with_inserted(const Buffer& message, const std::vector<Buffer>& attributes) {
  Buffer bytes = message;
  bytes.resize(bytes.size() - kFingerprintSize);
  for (const Buffer& attribute : attributes) {
    bytes.insert(bytes.end(), attribute.begin(), attribute.end());
  }
  const std::size_t length = bytes.size() + kFingerprintSize - kHeaderSize;
  bytes[2] = static_cast<std::byte>(length >> 8);
  bytes[3] = static_cast<std::byte>(length & 0xff);
  const std::uint32_t crc = crc32(bytes) ^ 0x5354554e;
  Buffer value;
  test::put16(value, crc >> 16);
  test::put16(value, crc & 0xffff);
  return test::joined({bytes, stun_attribute(AttributeType::fingerprint, value)});
}

DecodeError fault_of(const Buffer& bytes) {
  const auto message = decode(bytes);
  EXPECT_FALSE(message);
  return message ? DecodeError{} : message.error();
}

TEST(StunFingerprint, MustBeRight) {
  const IntegrityKey key = test::ice_key();
  const Buffer good = test::written_check(key);
  ASSERT_TRUE(decode(good));
  EXPECT_TRUE(decode(good)->has_fingerprint);
  for (std::size_t at = good.size() - 4; at < good.size(); ++at) {
    Buffer bytes = good;
    bytes[at] ^= std::byte{0x80};
    EXPECT_EQ(fault_of(bytes), DecodeError::wrong_fingerprint);
  }
  Buffer changed = good;
  changed[10] ^= std::byte{1};  // the transaction ID
  EXPECT_EQ(fault_of(changed), DecodeError::wrong_fingerprint);
}

TEST(StunFingerprint, IsLast) {
  const Buffer good = test::written(MessageClass::indication, [](Writer&) {});
  const Buffer fingerprint(good.end() - kFingerprintSize, good.end());
  const Buffer more = stun_attribute(AttributeType::priority, from_hex("01020304"));
  EXPECT_EQ(fault_of(test::stun_message(0x0011, {fingerprint, more})),
            DecodeError::fingerprint_not_last);
  EXPECT_EQ(fault_of(test::stun_message(0x0011, {fingerprint, fingerprint})),
            DecodeError::fingerprint_not_last);
}

TEST(StunFingerprint, HasFourBytes) {
  for (const std::size_t size : {0U, 3U, 5U, 8U}) {
    EXPECT_EQ(
        fault_of(test::binding_request({stun_attribute(AttributeType::fingerprint, Buffer(size))})),
        DecodeError::wrong_attribute_size);
  }
}

TEST(StunIntegrity, ItsPlaceIsKnown) {
  const IntegrityKey key = test::ice_key();
  const Buffer bytes = test::written_check(key);
  EXPECT_EQ(decode(bytes).value().integrity_at, bytes.size() - kFingerprintSize - kIntegritySize);
}

// RFC 8489 section 14.5: what follows MESSAGE-INTEGRITY anyone may have added.
TEST(StunIntegrity, WhatFollowsIsIgnored) {
  const IntegrityKey key = test::ice_key();
  const Buffer bytes = with_inserted(
      test::written(
          MessageClass::request, [](Writer& writer) { writer.username("a:b"); }, &key),
      {stun_attribute(AttributeType::use_candidate, {}),
       stun_attribute(AttributeType::priority, from_hex("ffffffff")),
       stun_attribute(AttributeType::priority, from_hex("ff")),
       stun_attribute(AttributeType::ice_controlling, from_hex("ffffffffffffffff")),
       stun_attribute(AttributeType::xor_mapped_address, from_hex("ff")),
       stun_attribute(AttributeType::dtls_in_stun, from_hex("16")),
       stun_attribute(AttributeType::message_integrity_sha256, Buffer(32)),
       stun_attribute(AttributeType::message_integrity, Buffer(20)),
       stun_attribute(0x7fff, from_hex("00"))});
  const auto message = decode(bytes);
  ASSERT_TRUE(message);
  EXPECT_FALSE(message->use_candidate || message->priority || message->ice_controlling ||
               message->xor_mapped_address || message->dtls_in_stun);
  EXPECT_TRUE(message->unknown.empty());
  EXPECT_TRUE(message->has_fingerprint);
  EXPECT_TRUE(verify_integrity(*message, test::environment(), key))
      << "the MAC is of the message as it was before";
}

TEST(StunIntegrity, LengthsThatLieAreFoundAfterItToo) {
  const IntegrityKey key = test::ice_key();
  Buffer lying = stun_attribute(0x8001, Buffer(4));
  lying[3] = std::byte{200};
  EXPECT_EQ(fault_of(with_inserted(test::written_check(key), {lying})),
            DecodeError::attribute_too_long);
}

}  // namespace
}  // namespace sluice::stun
