#include <gtest/gtest.h>
#include <sluice/stun/integrity.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "crypto/library.h"
#include "support/stun_messages.h"

namespace sluice::stun {
namespace {

using dtls::Buffer;

bool is_authentic(dtls::Bytes bytes, const IntegrityKey& key) {
  const auto message = decode(bytes);
  return message && verify_integrity(*message, test::environment(), key);
}

TEST(StunIntegrityKey, AnEmptyPasswordIsRefused) {
  const auto key = IntegrityKey::make(test::environment(), "");
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().code, dtls::Errc::invalid_argument);
}

// Against libcrypto's own HMAC(), with passwords around SHA-1's block and the longest of ICE.
TEST(StunIntegrityKey, PasswordsOfEverySize) {
  for (const std::size_t size : {1U, 22U, 48U, 49U, 63U, 64U, 65U, 128U, 256U, 1000U}) {
    const std::string password(size, 'p');
    const IntegrityKey key = test::ice_key(password);
    const Buffer bytes = test::written(MessageClass::request, [](Writer&) {}, &key);
    EXPECT_TRUE(is_authentic(bytes, key)) << size;

    Buffer covered(bytes.begin(), bytes.begin() + kHeaderSize);
    covered[3] = std::byte{kIntegritySize};  // the length as if MESSAGE-INTEGRITY were last
    std::array<unsigned char, 20> mac{};
    HMAC(EVP_sha1(), password.data(), static_cast<int>(password.size()),
         reinterpret_cast<const unsigned char*>(covered.data()), covered.size(), mac.data(),
         nullptr);
    EXPECT_EQ(test::to_hex(std::as_bytes(std::span(mac))),
              test::to_hex(dtls::Bytes(bytes).subspan(kHeaderSize + kAttributeHeaderSize, 20)))
        << size;
  }
}

TEST(StunIntegrityKey, OnlyTheRightOneVerifies) {
  const IntegrityKey key = test::ice_key();
  const IntegrityKey other = test::ice_key("VOkJxbRl1RmTxUk/WvJxBu");
  const Buffer bytes = test::written_check(key);
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(is_authentic(bytes, key));
    EXPECT_FALSE(is_authentic(bytes, other)) << "the key of before must not be used";
  }
}

TEST(StunIntegrityKey, MovingLeavesNothingBehind) {
  IntegrityKey key = test::ice_key();
  const IntegrityKey moved = std::move(key);
  EXPECT_TRUE(key.bytes().empty());  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(moved.bytes().size(), test::kIcePassword.size());
}

TEST(StunIntegrity, AMessageWithoutItIsNotAuthentic) {
  const Buffer bytes = test::written(MessageClass::request, [](Writer&) {});
  ASSERT_TRUE(decode(bytes));
  EXPECT_FALSE(is_authentic(bytes, test::ice_key()));
}

// Each bit of the MAC counts; with FINGERPRINT gone nothing else protects it.
TEST(StunIntegrity, EveryBitOfTheMacCounts) {
  const IntegrityKey key = test::ice_key();
  Buffer bytes = test::written(MessageClass::request, [](Writer&) {}, &key);
  bytes.resize(bytes.size() - kFingerprintSize);
  bytes[3] = std::byte{kIntegritySize};
  ASSERT_TRUE(is_authentic(bytes, key));
  for (std::size_t at = kHeaderSize + kAttributeHeaderSize; at < bytes.size(); ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      bytes[at] ^= std::byte{1} << bit;
      EXPECT_FALSE(is_authentic(bytes, key)) << at;
      bytes[at] ^= std::byte{1} << bit;
    }
  }
}

TEST(StunIntegrity, AForgottenKeyIsWipedFromTheEnvironment) {
  const auto mac_of_present_key = [] {
    EVP_MAC_CTX* context = test::environment().library().hmac_context(dtls::HashAlgorithm::sha1);
    std::array<unsigned char, 20> mac{};
    std::size_t size = 0;
    EVP_MAC_init(context, nullptr, 0, nullptr);
    EVP_MAC_final(context, mac.data(), &size, mac.size());
    return test::to_hex(std::as_bytes(std::span(mac)));
  };
  const IntegrityKey key = test::ice_key();
  const Buffer bytes = test::written_check(key);
  EXPECT_TRUE(is_authentic(bytes, key));
  const std::string used = mac_of_present_key();
  forget_integrity_key(test::environment());
  EXPECT_NE(mac_of_present_key(), used);
  EXPECT_TRUE(is_authentic(bytes, key)) << "the key is set again";
  EXPECT_EQ(mac_of_present_key(), used);
}

}  // namespace
}  // namespace sluice::stun
