// The test vectors of RFC 5769.
#include <gtest/gtest.h>
#include <openssl/evp.h>

#include "support/stun_messages.h"

namespace sluice::stun {
namespace {

using dtls::Buffer;

// Section 2.1.
const Buffer kRequest = test::from_hex(
    "00010058 2112a442 b7e7a701bc34d686fa87dfae"
    "80220010 5354554e207465737420636c69656e74"
    "00240004 6e0001ff"
    "80290008 932ff9b151263b36"
    "00060009 6576746a3a68367659202020"
    "00080014 9aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2"
    "80280004 e57a3bcf");
// Section 2.2.
const Buffer kIpv4Response = test::from_hex(
    "0101003c 2112a442 b7e7a701bc34d686fa87dfae"
    "8022000b 7465737420766563746f7220"
    "00200008 0001a147e112a643"
    "00080014 2b91f599fd9e90c38c7489f92af9ba53f06be7d7"
    "80280004 c07d4c96");
// Section 2.3.
const Buffer kIpv6Response = test::from_hex(
    "01010048 2112a442 b7e7a701bc34d686fa87dfae"
    "8022000b 7465737420766563746f7220"
    "00200014 0002a1470113a9faa5d3f179bc25f4b5bed2b9d9"
    "00080014 a382954e4be67bf11784c97c8292c275bfe3ed41"
    "80280004 c8fb0b4c");
// Section 2.4, with a long-term credential and without FINGERPRINT.
const Buffer kLongTermRequest = test::from_hex(
    "00010060 2112a442 78ad3433c6ad72c029da412e"
    "00060012 e3839ee38388e383aae38383e382afe382b90000"
    "0015001c 662f2f3439396b39353464364f4c33346f4c394653547679363473 41"
    "0014000b 6578616d706c652e6f726700"
    "00080014 f67024656dd64a3e02b8e0712e85c9a28ca89666");

Message authentic(const Buffer& bytes) {
  const auto message = decode(bytes).value();
  EXPECT_TRUE(message.has_fingerprint);
  EXPECT_TRUE(verify_integrity(message, test::environment(), test::ice_key()));
  EXPECT_FALSE(verify_integrity(message, test::environment(), test::ice_key("another")));
  EXPECT_TRUE(message.unknown.empty());
  EXPECT_EQ(message.transaction, test::kTransaction);
  return message;
}

std::string text(const std::optional<dtls::Bytes>& bytes) {
  return {reinterpret_cast<const char*>(bytes.value().data()), bytes->size()};
}

// What the RFC writes with spaces as padding we write with zeros, so that MAC and CRC differ:
// compares what stands before them.
void expect_same_attributes(const Buffer& ours, Buffer vector, std::size_t padding_end,
                            std::size_t padding) {
  ASSERT_EQ(ours.size(), vector.size());
  for (std::size_t i = 0; i < padding; ++i) {
    ASSERT_EQ(vector[padding_end - 1 - i], std::byte{' '});
    vector[padding_end - 1 - i] = std::byte{0};
  }
  const std::size_t compared = vector.size() - kFingerprintSize - kIntegritySize;
  EXPECT_EQ(test::to_hex(dtls::Bytes(ours).first(compared)),
            test::to_hex(dtls::Bytes(vector).first(compared)));
}

TEST(Rfc5769, Request) {
  const Message message = authentic(kRequest);
  EXPECT_EQ(message.message_class, MessageClass::request);
  EXPECT_EQ(message.method, Method::binding);
  EXPECT_EQ(text(message.software), "STUN test client");
  EXPECT_EQ(text(message.username), "evtj:h6vY");
  EXPECT_EQ(message.priority, 0x6e0001ffU);
  EXPECT_EQ(message.ice_controlled, 0x932ff9b151263b36U);

  const IntegrityKey key = test::ice_key();
  const Buffer ours = test::written(
      MessageClass::request,
      [](Writer& writer) {
        writer.software("STUN test client");
        writer.priority(0x6e0001ff);
        writer.ice_controlled(0x932ff9b151263b36);
        writer.username("evtj:h6vY");
      },
      &key);
  authentic(ours);
  expect_same_attributes(ours, kRequest, kRequest.size() - kFingerprintSize - kIntegritySize, 3);
}

void expect_response(const Buffer& vector, const dtls::UdpEndpoint& endpoint) {
  const Message message = authentic(vector);
  EXPECT_EQ(message.message_class, MessageClass::success_response);
  EXPECT_EQ(message.method, Method::binding);
  EXPECT_EQ(text(message.software), "test vector");
  EXPECT_EQ(message.xor_mapped_address, endpoint);

  const IntegrityKey key = test::ice_key();
  const Buffer ours = test::written(
      MessageClass::success_response,
      [&](Writer& writer) {
        writer.software("test vector");
        writer.xor_mapped_address(endpoint);
      },
      &key);
  authentic(ours);
  expect_same_attributes(ours, vector, kHeaderSize + kAttributeHeaderSize + 12, 1);
}

TEST(Rfc5769, Ipv4Response) { expect_response(kIpv4Response, test::kIpv4Endpoint); }

TEST(Rfc5769, Ipv6Response) { expect_response(kIpv6Response, test::kIpv6Endpoint); }

// The key is the MD5 of username, realm and password (RFC 8489 section 9.2.2).
TEST(Rfc5769, RequestWithLongTermCredential) {
  const auto message = decode(kLongTermRequest);
  ASSERT_TRUE(message);
  EXPECT_FALSE(message->has_fingerprint);
  EXPECT_TRUE(message->unknown.empty());
  const std::string credential = text(message->username) + ":example.org:TheMatrIX";
  std::string key(16, '\0');
  ASSERT_EQ(EVP_Digest(credential.data(), credential.size(),
                       reinterpret_cast<unsigned char*>(key.data()), nullptr, EVP_md5(), nullptr),
            1);
  EXPECT_TRUE(verify_integrity(*message, test::environment(), test::ice_key(key)));
  EXPECT_FALSE(verify_integrity(*message, test::environment(), test::ice_key()));
}

}  // namespace
}  // namespace sluice::stun
