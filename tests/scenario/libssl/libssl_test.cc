// Against OpenSSL's libssl, in memory: every suite, group and SRTP profile that both have, in both
// roles.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <tuple>

#include "scenario/libssl/exchange.h"
#include "support/endpoints.h"
#include "support/listening_server.h"

namespace sluice::test {
namespace {

using dtls::Buffer;
using dtls::CipherSuite;
using dtls::NamedGroup;
using dtls::Role;
using dtls::SrtpProfile;

struct Suite {
  const char* libssl;
  CipherSuite id;
  LibsslKey key;
};
constexpr Suite kSuites[] = {
    {"ECDHE-ECDSA-AES128-GCM-SHA256", CipherSuite::ecdhe_ecdsa_with_aes_128_gcm_sha256,
     LibsslKey::ecdsa_p256},
    {"ECDHE-ECDSA-AES256-GCM-SHA384", CipherSuite::ecdhe_ecdsa_with_aes_256_gcm_sha384,
     LibsslKey::ecdsa_p256},
    {"ECDHE-ECDSA-CHACHA20-POLY1305", CipherSuite::ecdhe_ecdsa_with_chacha20_poly1305_sha256,
     LibsslKey::ecdsa_p256},
    {"ECDHE-ECDSA-AES128-CCM", CipherSuite::ecdhe_ecdsa_with_aes_128_ccm, LibsslKey::ecdsa_p256},
    {"ECDHE-ECDSA-AES256-CCM", CipherSuite::ecdhe_ecdsa_with_aes_256_ccm, LibsslKey::ecdsa_p256},
    {"ECDHE-ECDSA-AES128-CCM8", CipherSuite::ecdhe_ecdsa_with_aes_128_ccm_8, LibsslKey::ecdsa_p256},
    {"ECDHE-ECDSA-AES256-CCM8", CipherSuite::ecdhe_ecdsa_with_aes_256_ccm_8, LibsslKey::ecdsa_p256},
    {"ECDHE-RSA-AES128-GCM-SHA256", CipherSuite::ecdhe_rsa_with_aes_128_gcm_sha256,
     LibsslKey::rsa_2048},
    {"ECDHE-RSA-AES256-GCM-SHA384", CipherSuite::ecdhe_rsa_with_aes_256_gcm_sha384,
     LibsslKey::rsa_2048},
    {"ECDHE-RSA-CHACHA20-POLY1305", CipherSuite::ecdhe_rsa_with_chacha20_poly1305_sha256,
     LibsslKey::rsa_2048}};

struct Group {
  NamedGroup id;
  const char* libssl;
};
constexpr Group kGroups[] = {{NamedGroup::x25519, "X25519:P-256"},
                             {NamedGroup::secp256r1, "P-256"},
                             {NamedGroup::secp384r1, "P-384:P-256"}};

struct Profile {
  SrtpProfile id;
  const char* libssl;
};
constexpr Profile kProfiles[] = {{SrtpProfile::aead_aes_256_gcm, "SRTP_AEAD_AES_256_GCM"},
                                 {SrtpProfile::aead_aes_128_gcm, "SRTP_AEAD_AES_128_GCM"},
                                 {SrtpProfile::aes128_cm_hmac_sha1_80, "SRTP_AES128_CM_SHA1_80"},
                                 {SrtpProfile::aes128_cm_hmac_sha1_32, "SRTP_AES128_CM_SHA1_32"}};

// Our SRTP keys, put back into the order of RFC 5764 section 4.2, are what libssl exports.
void expect_same_srtp_keys(Peer& ours, LibsslPeer& theirs, SrtpProfile profile) {
  auto keys = must(ours.connection().srtp_keys());
  EXPECT_EQ(keys.profile, profile);
  const bool is_client = ours.connection().role() == Role::client;
  const auto client = std::as_const(is_client ? keys.local : keys.remote).bytes();
  const auto server = std::as_const(is_client ? keys.remote : keys.local).bytes();
  const std::size_t key = profile == SrtpProfile::aead_aes_256_gcm ? 32 : 16;
  Buffer joined(client.begin(), client.begin() + static_cast<std::ptrdiff_t>(key));
  joined.insert(joined.end(), server.begin(), server.begin() + static_cast<std::ptrdiff_t>(key));
  joined.insert(joined.end(), client.begin() + static_cast<std::ptrdiff_t>(key), client.end());
  joined.insert(joined.end(), server.begin() + static_cast<std::ptrdiff_t>(key), server.end());
  EXPECT_EQ(joined, theirs.export_keying_material(joined.size(), "EXTRACTOR-dtls_srtp", nullptr));
}

using Choice = std::tuple<Role, Suite, Group, Profile>;
class Libssl : public testing::TestWithParam<Choice> {};

TEST_P(Libssl, AgreesOnEverything) {
  const auto& [role, suite, group, profile] = GetParam();
  dtls::ConfigOptions chosen = options();
  chosen.identities = {suite.key == LibsslKey::rsa_2048 ? rsa_identity() : ecdsa_identity()};
  // Both sides also want P-256 among the groups, for certificates on it; ours says which is taken.
  chosen.groups = {group.id};
  if (role == Role::client && group.id != NamedGroup::secp256r1) {
    chosen.groups.push_back(NamedGroup::secp256r1);
  }
  chosen.cipher_suites = {suite.id};
  Peer ours = make_peer(role, chosen);
  LibsslPeer theirs({.is_server = role == Role::client,
                     .key = suite.key,
                     .cipher = suite.libssl,
                     .groups = group.libssl,
                     .srtp_profiles = profile.libssl});
  exchange(ours, theirs);
  ASSERT_FALSE(ours.error) << to_string(*ours.error) << " / " << theirs.error();
  ASSERT_TRUE(ours.connected) << theirs.error();
  ASSERT_TRUE(theirs.connected()) << theirs.error();

  EXPECT_EQ(ours.connected->cipher_suite, suite.id);
  EXPECT_EQ(ours.connected->group, group.id);
  EXPECT_EQ(ours.connected->srtp_profile, profile.id);
  EXPECT_TRUE(ours.connected->extended_master_secret);
  EXPECT_EQ(ours.peer_chain, std::vector<Buffer>{theirs.certificate()});
  expect_same_exports(ours, theirs);
  expect_same_srtp_keys(ours, theirs, profile.id);
  expect_data_both_ways(ours, theirs);
}

std::string name_of(const testing::TestParamInfo<Choice>& info) {
  const auto& [role, suite, group, profile] = info.param;
  std::string name = std::string(role == Role::client ? "Client_" : "Server_") + suite.libssl +
                     "_" + std::string(to_string(group.id)) + "_" + profile.libssl;
  std::ranges::replace(name, '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(All, Libssl,
                         testing::Combine(testing::Values(Role::client, Role::server),
                                          testing::ValuesIn(kSuites), testing::ValuesIn(kGroups),
                                          testing::ValuesIn(kProfiles)),
                         name_of);

class LibsslRole : public testing::TestWithParam<Role> {};

TEST_P(LibsslRole, ClosesWhenLibsslDoes) {
  Peer ours = make_peer(GetParam(), options());
  LibsslPeer theirs({.is_server = GetParam() == Role::client});
  exchange(ours, theirs);
  theirs.shut_down();
  exchange(ours, theirs);
  EXPECT_TRUE(ours.closed);
  EXPECT_TRUE(theirs.closed);  // we have answered
}

TEST_P(LibsslRole, ClosesLibssl) {
  Peer ours = make_peer(GetParam(), options());
  LibsslPeer theirs({.is_server = GetParam() == Role::client});
  exchange(ours, theirs);
  ours.settle(ours.connection().close({}), {});
  exchange(ours, theirs);
  EXPECT_TRUE(theirs.closed);
}

TEST_P(LibsslRole, CutsAndMendsFlightsAtTheSmallestMtu) {
  dtls::ConfigOptions chosen = options();
  chosen.mtu = 256;
  Peer ours = make_peer(GetParam(), chosen);
  LibsslPeer theirs({.is_server = GetParam() == Role::client, .mtu = 256});
  exchange(ours, theirs);
  EXPECT_TRUE(ours.connected) << theirs.error();
  EXPECT_TRUE(theirs.connected()) << theirs.error();
}

TEST_P(LibsslRole, RefusesLibsslsRenegotiation) {
  Peer ours = make_peer(GetParam(), options());
  LibsslPeer theirs({.is_server = GetParam() == Role::client});
  exchange(ours, theirs);
  ASSERT_TRUE(ours.connected);
  theirs.renegotiate();
  exchange(ours, theirs);
  // Our warning no_renegotiation is an answer that libssl doesn't live with.
  ASSERT_TRUE(ours.error);
  EXPECT_EQ(ours.error->code, dtls::Errc::alert_received);
  EXPECT_EQ(ours.error->alert, dtls::Alert::handshake_failure);
}

TEST_P(LibsslRole, WorksWithoutSrtp) {
  Peer ours = make_peer(GetParam(), options());
  LibsslPeer theirs({.is_server = GetParam() == Role::client, .srtp_profiles = ""});
  exchange(ours, theirs);
  ASSERT_TRUE(ours.connected);
  EXPECT_FALSE(ours.connected->srtp_profile);
  EXPECT_EQ(ours.connection().srtp_keys().error().code, dtls::Errc::srtp_not_negotiated);
}

INSTANTIATE_TEST_SUITE_P(Both, LibsslRole, testing::Values(Role::client, Role::server),
                         [](const auto& role) {
                           return role.param == Role::client ? "Client" : "Server";
                         });

// Through a HelloVerifyRequest, also with hellos that span datagrams.
TEST(LibsslClient, IsLetInByOurListener) {
  for (const long mtu : {1200L, 256L}) {
    SCOPED_TRACE(mtu);
    const Buffer address{std::byte{1}};
    ListeningServer server;
    // So many suites don't fit the small one.
    LibsslPeer theirs({.is_server = false, .cipher = "ALL", .mtu = mtu});
    theirs.advance();
    for (bool moved = true; moved;) {
      moved = false;
      for (auto& datagram : theirs.take_datagrams()) {
        for (auto& reply : server.receive(std::move(datagram), address)) {
          theirs.receive(std::move(reply));
          moved = true;
        }
      }
    }
    EXPECT_TRUE(theirs.connected()) << theirs.error();
    const auto& statistics = server.listener.statistics();
    EXPECT_EQ(statistics.hello_verify_requests, 1U);
    EXPECT_EQ(statistics.admissions, 1U);
    EXPECT_EQ(statistics.unfinished > 0, mtu == 256);
    Peer* ours = server.connection(address);
    ASSERT_NE(ours, nullptr);
    ASSERT_TRUE(ours->connected);
    expect_same_exports(*ours, theirs);
    expect_data_both_ways(*ours, theirs);
  }
}

TEST(LibsslClient, GetsOurP384Certificate) {
  dtls::ConfigOptions chosen = options();
  chosen.identities = {p384_identity()};
  Peer ours = make_peer(Role::server, chosen);
  LibsslPeer theirs({.is_server = false, .cipher = "ECDHE-ECDSA-AES256-GCM-SHA384"});
  exchange(ours, theirs);
  EXPECT_TRUE(ours.connected) << theirs.error();
  EXPECT_TRUE(theirs.connected()) << theirs.error();
}

TEST(LibsslServer, TakesOurClientWithoutAskingForACertificate) {
  Peer ours = make_peer(Role::client, options());
  LibsslPeer theirs({.is_server = true, .asks_for_certificate = false});
  exchange(ours, theirs);
  EXPECT_TRUE(ours.connected) << theirs.error();
}

TEST(LibsslClient, NeedsNoCertificateOfAnOpenServer) {
  dtls::ConfigOptions chosen = options();
  chosen.peer_authentication = dtls::PeerAuthentication::none;
  Peer ours = make_peer(Role::server, chosen);
  LibsslPeer theirs({.is_server = false});
  exchange(ours, theirs);
  EXPECT_TRUE(ours.connected) << theirs.error();
  EXPECT_TRUE(ours.peer_chain.empty());
}

}  // namespace
}  // namespace sluice::test
