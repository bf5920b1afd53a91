// Against OpenSSL's libssl with pre-shared keys: every suite that both have, in both roles.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <tuple>

#include "scenario/libssl/exchange.h"
#include "support/bytes.h"
#include "support/endpoints.h"

namespace sluice::test {
namespace {

using dtls::Buffer;
using dtls::CipherSuite;
using dtls::PreSharedKey;
using dtls::Role;

struct PskSuite {
  const char* libssl;
  CipherSuite id;
};
constexpr PskSuite kPskSuites[] = {
    {"PSK-AES128-GCM-SHA256", CipherSuite::psk_with_aes_128_gcm_sha256},
    {"PSK-AES256-GCM-SHA384", CipherSuite::psk_with_aes_256_gcm_sha384},
    {"PSK-CHACHA20-POLY1305", CipherSuite::psk_with_chacha20_poly1305_sha256},
    {"PSK-AES128-CCM", CipherSuite::psk_with_aes_128_ccm},
    {"PSK-AES256-CCM", CipherSuite::psk_with_aes_256_ccm},
    {"PSK-AES128-CCM8", CipherSuite::psk_with_aes_128_ccm_8},
    {"PSK-AES256-CCM8", CipherSuite::psk_with_aes_256_ccm_8},
    {"PSK-AES128-CBC-SHA256", CipherSuite::psk_with_aes_128_cbc_sha256},
    {"ECDHE-PSK-AES128-CBC-SHA256", CipherSuite::ecdhe_psk_with_aes_128_cbc_sha256},
    {"ECDHE-PSK-CHACHA20-POLY1305", CipherSuite::ecdhe_psk_with_chacha20_poly1305_sha256}};

const std::string kIdentity = "sensor 7";
const Buffer kKey(16, std::byte{0x5a});

dtls::ConfigOptions psk_options(CipherSuite suite) {
  dtls::ConfigOptions chosen = options();
  chosen.identities.clear();
  chosen.pre_shared_keys = {must(PreSharedKey::make(bytes_of(kIdentity), kKey))};
  chosen.cipher_suites = {suite};
  return chosen;
}

LibsslOptions libssl_options(Role ours, const PskSuite& suite) {
  return {.is_server = ours == Role::client,
          .cipher = suite.libssl,
          .psk_identity = kIdentity,
          .psk = kKey};
}

using PskChoice = std::tuple<Role, PskSuite>;
class LibsslPsk : public testing::TestWithParam<PskChoice> {};

TEST_P(LibsslPsk, AgreesOnEverything) {
  const auto& [role, suite] = GetParam();
  Peer ours = make_peer(role, psk_options(suite.id));
  LibsslPeer theirs(libssl_options(role, suite));
  exchange(ours, theirs);
  ASSERT_TRUE(theirs.connected()) << theirs.error();
  ASSERT_TRUE(ours.connected) << (ours.error ? to_string(*ours.error) : "still waiting");
  EXPECT_EQ(ours.connected->cipher_suite, suite.id);
  EXPECT_TRUE(ours.connected->psk);
  const bool with_ecdhe = to_string(suite.id).find("ECDHE") != std::string_view::npos;
  EXPECT_EQ(ours.connected->group.has_value(), with_ecdhe);
  EXPECT_FALSE(ours.question) << "somebody showed a certificate";
  expect_same_exports(ours, theirs);
  expect_data_both_ways(ours, theirs);
}

// Hint, question and answer, both ways.
TEST_P(LibsslPsk, TheHintLeadsToTheKey) {
  const auto& [role, suite] = GetParam();
  const std::string hint = "which house?";
  dtls::ConfigOptions chosen = psk_options(suite.id);
  chosen.pre_shared_keys.clear();
  chosen.ask_for_psk = true;
  chosen.psk_identity_hint = buffer_of(hint);
  Peer ours = make_peer(role, chosen);
  LibsslOptions libssl = libssl_options(role, suite);
  libssl.psk_hint = hint;
  LibsslPeer theirs(libssl);
  exchange(ours, theirs);
  ASSERT_TRUE(ours.psk_request);
  if (role == Role::client) {
    EXPECT_EQ(ours.psk_request->hint, buffer_of(hint));
    EXPECT_TRUE(ours.psk_request->identities.empty());
  } else {
    EXPECT_EQ(ours.psk_request->identities, (std::vector<Buffer>{buffer_of(kIdentity)}));
  }
  const auto key = must(PreSharedKey::make(bytes_of(kIdentity), kKey));
  ours.settle(ours.connection().answer(ours.psk_request->question, dtls::UsePsk{0, key}, {}), {});
  exchange(ours, theirs);
  ASSERT_TRUE(theirs.connected()) << theirs.error();
  ASSERT_TRUE(ours.connected);
  expect_data_both_ways(ours, theirs);
}

std::string psk_name_of(const PskChoice& choice) {
  const auto& [role, suite] = choice;
  std::string name = role == Role::client ? "Client_" : "Server_";
  name += suite.libssl;
  std::ranges::replace(name, '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(All, LibsslPsk,
                         testing::Combine(testing::Values(Role::client, Role::server),
                                          testing::ValuesIn(kPskSuites)),
                         [](const auto& tried) { return psk_name_of(tried.param); });

}  // namespace
}  // namespace sluice::test
