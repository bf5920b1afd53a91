#include "schedule/cipher_suite.h"

#include <gtest/gtest.h>

#include <algorithm>

#include <sluice/dtls/config.h>
#include <string_view>

namespace sluice::dtls::schedule {
namespace {

// The names say what the parameters must be (RFC 5289, RFC 7251, RFC 7905).
TEST(CipherSuites, HaveTheParametersOfTheirNames) {
  for (unsigned number = 0; number <= 0xffff; ++number) {
    const CipherSuite id{static_cast<std::uint16_t>(number)};
    const std::string_view name = to_string(id);
    const auto says = [&](std::string_view word) { return name.find(word) != name.npos; };
    const auto* suite = find12(id);
    // A suite of DTLS 1.3 names no key exchange (RFC 8446 appendix B.4).
    ASSERT_EQ(suite != nullptr, says("_WITH_")) << number;
    ASSERT_EQ(find13(id) != nullptr, name != "unknown" && !says("_WITH_")) << number;
    if (suite == nullptr) continue;
    EXPECT_EQ(suite->id, id);
    EXPECT_EQ(suite->key_exchange == KeyExchange12::ecdhe_ecdsa, says("_ECDSA_")) << name;
    EXPECT_EQ(suite->key_exchange == KeyExchange12::ecdhe_rsa, says("_RSA_")) << name;
    EXPECT_EQ(uses_psk(suite->key_exchange), says("_PSK_")) << name;
    EXPECT_EQ(uses_ecdhe(suite->key_exchange), says("_ECDHE_")) << name;
    EXPECT_EQ(needs_encrypt_then_mac(*suite), says("_CBC_")) << name;
    // A name without a hash means SHA-256 (RFC 7251 section 2).
    EXPECT_EQ(suite->hash, says("SHA384") ? HashAlgorithm::sha384 : HashAlgorithm::sha256) << name;
    if (needs_encrypt_then_mac(*suite)) continue;
    const auto& [aead, fixed_iv_size] = std::get<AeadSuite12>(suite->protection);
    EXPECT_EQ(aead == crypto::AeadAlgorithm::aes_128_gcm, says("AES_128_GCM")) << name;
    EXPECT_EQ(aead == crypto::AeadAlgorithm::aes_256_gcm, says("AES_256_GCM")) << name;
    EXPECT_EQ(aead == crypto::AeadAlgorithm::chacha20_poly1305, says("CHACHA20")) << name;
    EXPECT_EQ(crypto::is_ccm(aead), says("_CCM")) << name;
    EXPECT_EQ(crypto::is_ccm_8(aead), says("_CCM_8")) << name;
    EXPECT_EQ(crypto::key_size(aead), says("AES_128") ? 16U : 32U) << name;
    EXPECT_EQ(fixed_iv_size, says("CHACHA20") ? 12U : 4U) << name;
  }
}

TEST(CipherSuites, HaveTheParametersOfTheirNamesIn13) {
  for (unsigned number = 0; number <= 0xffff; ++number) {
    const CipherSuite id{static_cast<std::uint16_t>(number)};
    const auto* suite = find13(id);
    if (suite == nullptr) continue;
    const std::string_view name = to_string(id);
    const auto says = [&](std::string_view word) { return name.find(word) != name.npos; };
    EXPECT_EQ(suite->id, id);
    EXPECT_EQ(suite->aead == crypto::AeadAlgorithm::aes_128_gcm, says("AES_128_GCM")) << name;
    EXPECT_EQ(suite->aead == crypto::AeadAlgorithm::aes_256_gcm, says("AES_256_GCM")) << name;
    EXPECT_EQ(suite->aead == crypto::AeadAlgorithm::chacha20_poly1305, says("CHACHA20")) << name;
    EXPECT_EQ(crypto::is_ccm(suite->aead), says("_CCM")) << name;
    EXPECT_EQ(crypto::is_ccm_8(suite->aead), says("_CCM_8")) << name;
    EXPECT_EQ(crypto::key_size(suite->aead), says("AES_128") ? 16U : 32U) << name;
    EXPECT_EQ(suite->hash == HashAlgorithm::sha384, says("SHA384")) << name;
    EXPECT_EQ(suite->hash == HashAlgorithm::sha256, says("SHA256")) << name;
  }
}

TEST(CipherSuites, TheDefaultsHaveWhatMustBeThere) {
  const auto suites = ConfigOptions::default_cipher_suites();
  for (const CipherSuite suite : suites) EXPECT_TRUE(find12(suite) || find13(suite));
  // RFC 8446 section 9.1 and RFC 8827 section 6.5.
  EXPECT_NE(std::ranges::find(suites, CipherSuite::aes_128_gcm_sha256), suites.end());
  EXPECT_NE(std::ranges::find(suites, CipherSuite::ecdhe_ecdsa_with_aes_128_gcm_sha256),
            suites.end());
}

}  // namespace
}  // namespace sluice::dtls::schedule
