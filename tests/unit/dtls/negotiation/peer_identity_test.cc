// Who the peer was, as a session that can be resumed tells it: in both versions and both roles.
#include "negotiation/peer_identity.h"

#include <gtest/gtest.h>

#include <functional>

#include "negotiation/stored_session.h"
#include "support/authority.h"
#include "support/resumption.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;

using dtls::Buffer;
using dtls::ConfigOptions;
using dtls::PeerAuthentication;
using dtls::Role;
using dtls::handshake::PeerIdentity;
using dtls::handshake::PeerProof;
using dtls::handshake::policy_of;
using dtls::handshake::PolicyId;

TEST(PolicyId, TellsHowPeersAreChecked) {
  ConfigOptions options;
  const PolicyId require = policy_of(options, Role::client);
  EXPECT_EQ(policy_of(options, Role::server), require);
  options.peer_authentication = PeerAuthentication::require_and_verify;
  const PolicyId verify = policy_of(options, Role::client);
  EXPECT_NE(verify, require);
  options.peer_name = "peer.example";
  const PolicyId with_name = policy_of(options, Role::client);
  EXPECT_NE(with_name, verify);
  EXPECT_EQ(policy_of(options, Role::server), verify) << "a server expects no name";
  options.peer_name = "other.example";
  EXPECT_EQ(policy_of(options, Role::client), with_name) << "verified_name tells names apart";
  options.peer_name.clear();
  options.server_name = "peer.example";
  EXPECT_EQ(policy_of(options, Role::client), with_name) << "which peer_name defaults to";
  options.trust_store = Authority("root").store();
  EXPECT_NE(policy_of(options, Role::client), with_name);
}

TEST(PeerIdentity, KeepsTheFingerprintInPlaceOfTheCertificate) {
  const Buffer certificate = copy_of(ecdsa_identity().certificate());
  auto identity = PeerIdentity::of_certificate(certificate);
  EXPECT_TRUE(identity.has_certificate());
  must(identity.keep_fingerprint_only(environment().library()));
  EXPECT_EQ(identity.proof, PeerProof::certificate_fingerprint);
  EXPECT_EQ(
      identity.credential,
      must(dtls::Fingerprint::of(certificate, dtls::HashAlgorithm::sha256, environment())).value);
  EXPECT_TRUE(identity.is_consistent());
  EXPECT_FALSE(identity.has_certificate());
  const PeerIdentity before = identity;
  must(identity.keep_fingerprint_only(environment().library()));
  EXPECT_EQ(identity, before);
  auto by_psk = PeerIdentity::of_psk(bytes_of("device 1"));
  must(by_psk.keep_fingerprint_only(environment().library()));
  EXPECT_EQ(by_psk, PeerIdentity::of_psk(bytes_of("device 1")));
}

class PeerIdentityOf : public ByVersion {
 protected:
  static constexpr dtls::Instant kFirst{1h};
  static constexpr dtls::Instant kSecond{2h};

  // A handshake with a store, from start to end at one time.
  static Pair run(const ConfigOptions& options, dtls::Instant now,
                  const std::function<void(Pair&)>& answer = {}) {
    Pair pair(options);
    pair.client = make_client(make_config(options), now);
    pair.server = make_server(make_config(options), now);
    pair.run(now);
    if (answer) {
      answer(pair);
      pair.run(now);
    }
    EXPECT_TRUE(works(pair));
    return pair;
  }
  static PeerIdentity of_server(const Pair& pair) {
    return pair.client.sessions.at(0).session().peer;
  }
  static PeerIdentity of_client(const Pair& pair) {
    return pair.server.stored.at(0).session.session().peer;
  }
};
INSTANTIATE_TEST_SUITE_P(Versions, PeerIdentityOf, both_versions(), name_of_version);

TEST_P(PeerIdentityOf, ACertificate) {
  const auto options = with_store(PeerIdentityOf::options());
  const Pair pair = run(options, kFirst);
  PeerIdentity expected = PeerIdentity::of_certificate(ecdsa_identity().certificate());
  expected.authenticated_at = kFirst;
  for (const Role role : kRoles) {
    expected.policy = policy_of(options, role);
    EXPECT_EQ(role == Role::client ? of_server(pair) : of_client(pair), expected);
  }
}

TEST_P(PeerIdentityOf, AVerifiedChain) {
  const Authority authority("root");
  auto options = with_store(PeerIdentityOf::options());
  options.identities = {authority.issue({.alternative = "DNS:peer.example"})};
  options.trust_store = authority.store();
  options.peer_authentication = PeerAuthentication::require_and_verify;
  options.peer_name = "peer.example";
  const Pair pair = run(options, kFirst);
  EXPECT_EQ(of_server(pair).verified_name, "peer.example");
  EXPECT_EQ(of_client(pair).verified_name, "");
  EXPECT_EQ(of_server(pair).policy, policy_of(options, Role::client));
  EXPECT_EQ(of_client(pair).policy, policy_of(options, Role::server));
}

TEST_P(PeerIdentityOf, AnExternalPsk) {
  auto options = with_store(PeerIdentityOf::options());
  options.identities.clear();
  options.peer_authentication = PeerAuthentication::none;
  options.pre_shared_keys = {must(dtls::PreSharedKey::make(bytes_of("device 1"), counted(32)))};
  PeerIdentity expected = PeerIdentity::of_psk(bytes_of("device 1"));
  expected.authenticated_at = kFirst;
  expected.policy = policy_of(options, Role::client);
  const Pair pair = run(options, kFirst, [](Pair& begun) {
    if (begun.server.psk_request) answer_psk(begun.server, dtls::NoPsk{}, kFirst);
  });
  EXPECT_EQ(of_server(pair), expected);
  EXPECT_EQ(of_client(pair), expected);
}

TEST_P(PeerIdentityOf, AnonymousClients) {
  auto options = with_store(PeerIdentityOf::options());
  options.peer_authentication = PeerAuthentication::none;
  const Pair pair = run(options, kFirst);
  EXPECT_EQ(of_client(pair).proof, PeerProof::none);
  EXPECT_EQ(of_client(pair).authenticated_at, kFirst);
}

TEST_P(PeerIdentityOf, AResumedSessionIsThatOfItsFirstHandshake) {
  const auto options = with_store(PeerIdentityOf::options());
  const Pair first = run(options, kFirst);
  Pair second = second_pair(options, options, first.client.sessions.at(0), kSecond);
  second.run(kSecond);
  const dtls::Answer resume = dtls::ResumeSession{0, first.server.stored.at(0).session};
  if (second.server.session_request) answer_session(second.server, resume, kSecond);
  if (second.server.psk_request) answer_psk(second.server, resume, kSecond);
  second.run(kSecond);
  ASSERT_TRUE(works(second));
  ASSERT_TRUE(is_resumed(second));
  EXPECT_EQ(of_server(second), of_server(first));
  // Only DTLS 1.3 makes a new session of a resumed one.
  if (is13()) {
    EXPECT_EQ(of_client(second), of_client(first));
  }
}

}  // namespace
}  // namespace sluice::test
