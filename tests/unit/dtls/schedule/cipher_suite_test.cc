#include "schedule/cipher_suite.h"

#include <gtest/gtest.h>

#include <sluice/dtls/config.h>
#include <string_view>

namespace sluice::dtls::schedule {
namespace {

// The names say what the parameters must be (RFC 5289, RFC 7905).
TEST(CipherSuites, HaveTheParametersOfTheirNames) {
  for (unsigned number = 0; number <= 0xffff; ++number) {
    const CipherSuite id{static_cast<std::uint16_t>(number)};
    const std::string_view name = to_string(id);
    const auto* suite = find(id);
    ASSERT_EQ(suite != nullptr, name != "unknown") << number;
    if (suite == nullptr) continue;
    const auto says = [&](std::string_view word) { return name.find(word) != name.npos; };
    EXPECT_EQ(suite->id, id);
    EXPECT_EQ(suite->authentication == Authentication::ecdsa, says("_ECDSA_")) << name;
    EXPECT_EQ(suite->aead == crypto::AeadAlgorithm::aes_128_gcm, says("AES_128_GCM")) << name;
    EXPECT_EQ(suite->aead == crypto::AeadAlgorithm::aes_256_gcm, says("AES_256_GCM")) << name;
    EXPECT_EQ(suite->aead == crypto::AeadAlgorithm::chacha20_poly1305, says("CHACHA20")) << name;
    EXPECT_EQ(suite->hash == HashAlgorithm::sha384, says("SHA384")) << name;
    EXPECT_EQ(suite->hash == HashAlgorithm::sha256, says("SHA256")) << name;
    EXPECT_EQ(suite->fixed_iv_size, says("GCM") ? 4U : 12U) << name;
  }
}

TEST(CipherSuites, TheDefaultsAreAllThereAre) {
  const auto suites = ConfigOptions::default_cipher_suites();
  EXPECT_EQ(suites.size(), 6U);
  for (const CipherSuite suite : suites) EXPECT_NE(find(suite), nullptr);
  // RFC 8827 section 6.5: this one must be there.
  EXPECT_EQ(suites.front(), CipherSuite::ecdhe_ecdsa_with_aes_128_gcm_sha256);
}

}  // namespace
}  // namespace sluice::dtls::schedule
