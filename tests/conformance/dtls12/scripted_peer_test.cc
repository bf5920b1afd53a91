// The scripted peer itself: without a departure from the RFCs it must connect, or no test here says
// anything.
#include <gtest/gtest.h>

#include "support/duel.h"

namespace sluice::test {
namespace {

TEST(ScriptedPeer, ConnectsInBothRoles) {
  for (const dtls::Role role : kRoles) {
    SCOPED_TRACE(to_string(role));
    Duel duel(role);
    EXPECT_TRUE(works(duel));
  }
}

TEST(ScriptedPeer, ConnectsWithEachSuiteGroupAndKey) {
  using enum dtls::CipherSuite;
  const std::vector<std::pair<dtls::CipherSuite, dtls::Identity>> suites{
      {ecdhe_ecdsa_with_aes_128_gcm_sha256, ecdsa_identity()},
      {ecdhe_ecdsa_with_aes_256_gcm_sha384, ecdsa_identity()},
      {ecdhe_ecdsa_with_chacha20_poly1305_sha256, p384_identity()},
      {ecdhe_rsa_with_aes_128_gcm_sha256, rsa_identity()}};
  for (const auto& [suite, identity] : suites) {
    for (const auto group :
         {dtls::NamedGroup::x25519, dtls::NamedGroup::secp256r1, dtls::NamedGroup::secp384r1}) {
      SCOPED_TRACE(to_string(suite));
      Script script;
      script.identity = identity;
      script.server_hello.suite = suite;
      script.group = group;
      if (suite == ecdhe_rsa_with_aes_128_gcm_sha256) {
        script.scheme = dtls::SignatureScheme::rsa_pss_rsae_sha256;
      }
      Duel duel(dtls::Role::client, script);
      ASSERT_TRUE(works(duel));
      EXPECT_EQ(duel.engine.connected->cipher_suite, suite);
      EXPECT_EQ(duel.engine.connected->group, group);
    }
  }
}

}  // namespace
}  // namespace sluice::test
