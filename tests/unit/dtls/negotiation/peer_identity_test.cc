// Who the peer was, as a session that can be resumed tells it: in both versions and both roles.
#include "negotiation/peer_identity.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
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
using dtls::handshake::PolicyId;

PolicyId policy_of(const ConfigOptions& options, Role role) {
  return must(dtls::handshake::policy_of(environment().library(), options, role));
}

dtls::PreSharedKey device(unsigned seed, std::string_view identity = "device 1") {
  return must(dtls::PreSharedKey::make(bytes_of(identity), Buffer(32, std::byte(seed))));
}
PeerIdentity by(const dtls::PreSharedKey& key) {
  return must(PeerIdentity::of_psk(environment().library(), key.identity(), key.key()));
}

// How the policy of a verifying client changes with one option.
template <class Change>
bool matters(Change change, Role role = Role::client) {
  static const Authority kRoot("root");
  ConfigOptions options;
  options.peer_authentication = PeerAuthentication::require_and_verify;
  options.trust_store = kRoot.store();
  options.peer_name = "peer.example";
  const PolicyId before = policy_of(options, role);
  change(options);
  return policy_of(options, role) != before;
}

TEST(PolicyId, TellsHowPeersAreChecked) {
  const auto name = [](ConfigOptions& o) { o.peer_name = "other.example"; };
  EXPECT_TRUE(matters(name));
  EXPECT_FALSE(matters(name, Role::server)) << "a server expects no name";
  EXPECT_FALSE(matters([](ConfigOptions& o) { o.server_name = "a.example"; })) << "unused";
  EXPECT_FALSE(matters([](ConfigOptions& o) {
    o.server_name = o.peer_name;
    o.peer_name.clear();
  })) << "which peer_name defaults to";
  EXPECT_TRUE(matters([](ConfigOptions& o) { o.trust_store = Authority("root").store(); }))
      << "another key of the same name";
  EXPECT_TRUE(matters([](ConfigOptions& o) { o.trust_store = must(dtls::TrustStore::system()); }));
  EXPECT_TRUE(
      matters([](ConfigOptions& o) { o.peer_authentication = PeerAuthentication::require; }));
  const auto optional = [](ConfigOptions& o) {
    o.peer_authentication = PeerAuthentication::verify_if_given;
  };
  EXPECT_FALSE(matters(optional)) << "a server always has a certificate";
  EXPECT_TRUE(matters(optional, Role::server));
  EXPECT_TRUE(matters([](ConfigOptions& o) { o.ask_for_psk = true; }));
  EXPECT_TRUE(matters([](ConfigOptions& o) { o.signature_schemes.pop_back(); }));
  EXPECT_FALSE(matters([](ConfigOptions& o) { std::ranges::reverse(o.signature_schemes); }));
  EXPECT_TRUE(matters([](ConfigOptions& o) {
    o.certificate_signature_schemes = {dtls::SignatureScheme::ed25519};
  }));
  EXPECT_TRUE(matters([](ConfigOptions& o) {
    o.peer_certificate_types.push_back(dtls::CertificateType::raw_public_key);
  }));
  EXPECT_FALSE(matters([](ConfigOptions& o) { o.mtu = 1000; }));
}

// Of those that verify nothing, too.
TEST(PolicyId, TellsWhetherACertificateIsAskedForAndRequired) {
  ConfigOptions options;
  std::vector<PolicyId> different;
  for (const auto authentication :
       {PeerAuthentication::none, PeerAuthentication::request, PeerAuthentication::require}) {
    options.peer_authentication = authentication;
    const PolicyId policy = policy_of(options, Role::server);
    EXPECT_TRUE(std::ranges::find(different, policy) == different.end());
    different.push_back(policy);
  }
  const PolicyId before = policy_of(options, Role::server);
  options.signature_schemes.pop_back();
  EXPECT_NE(policy_of(options, Role::server), before);
}

TEST(PolicyId, TellsEachSignatureScheme) {
  ConfigOptions options;
  std::vector<PolicyId> different;
  for (const auto scheme : ConfigOptions::default_signature_schemes()) {
    options.signature_schemes = {scheme};
    const PolicyId policy = policy_of(options, Role::server);
    EXPECT_TRUE(std::ranges::find(different, policy) == different.end()) << to_string(scheme);
    different.push_back(policy);
    options.signature_schemes = {scheme, scheme};
    EXPECT_EQ(policy_of(options, Role::server), policy) << to_string(scheme);
  }
}

TEST(PolicyId, TellsTheTimeOfVerification) {
  const Authority authority("root");
  const Buffer root = authority.certificate();
  ConfigOptions options;
  options.peer_authentication = PeerAuthentication::require_and_verify;
  const auto policy_at = [&](std::chrono::system_clock::time_point time) {
    options.trust_store = must(dtls::TrustStore::from_der(std::array<dtls::Bytes, 1>{root}, time));
    return policy_of(options, Role::server);
  };
  const auto now = std::chrono::system_clock::now();
  EXPECT_EQ(policy_at(now), policy_at(now));
  EXPECT_NE(policy_at(now), policy_at(now + 1h));
}

TEST(PolicyId, MayBeGiven) {
  ConfigOptions options;
  const PolicyId derived = policy_of(options, Role::server);
  options.policy_id = copy_of(bytes_of("tenant 1"));
  const PolicyId given = policy_of(options, Role::server);
  EXPECT_NE(given, derived);
  EXPECT_NE(policy_of(options, Role::client), given) << "each role has its own";
  options.peer_authentication = PeerAuthentication::none;
  EXPECT_EQ(policy_of(options, Role::server), given);
  options.policy_id.push_back({});
  EXPECT_NE(policy_of(options, Role::server), given);
}

TEST(PeerIdentity, TheEndOfAProofDoesNotOverflow) {
  using dtls::Instant;
  const ConfigOptions options;
  PeerIdentity identity;
  identity.authenticated_at = Instant::max() - 1h;
  EXPECT_EQ(identity.resumable_until(options), Instant::max());
  identity.authenticated_at = Instant::min();
  EXPECT_EQ(identity.resumable_until(options), Instant::min() + options.max_session_age);
  identity.valid_until = Instant::min() + 1h;
  EXPECT_EQ(identity.resumable_until(options), identity.valid_until);
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
  auto by_psk = by(device(1));
  must(by_psk.keep_fingerprint_only(environment().library()));
  EXPECT_EQ(by_psk, by(device(1)));
}

TEST(PeerIdentity, KeepsTheHashByWhichTheCertificateWasAcceptedIfItIsASha256) {
  const Buffer certificate = copy_of(ecdsa_identity().certificate());
  auto expected = PeerIdentity::of_certificate(certificate);
  must(expected.keep_fingerprint_only(environment().library()));
  for (const auto hash : {dtls::HashAlgorithm::sha256, dtls::HashAlgorithm::sha384}) {
    const auto match = must(dtls::Fingerprint::of(certificate, hash, environment()));
    auto identity = PeerIdentity::of_certificate(certificate);
    identity.keep_hash(&match);
    EXPECT_EQ(identity.certificate_hash.has_value(), hash == dtls::HashAlgorithm::sha256);
    must(identity.keep_fingerprint_only(environment().library()));
    EXPECT_EQ(identity, expected);
    EXPECT_TRUE(identity.is_consistent());
  }
  auto unmatched = PeerIdentity::of_certificate(certificate);
  unmatched.keep_hash(nullptr);
  EXPECT_FALSE(unmatched.certificate_hash);
  const auto match =
      must(dtls::Fingerprint::of(certificate, dtls::HashAlgorithm::sha256, environment()));
  auto by_psk = by(device(1));
  by_psk.keep_hash(&match);
  EXPECT_EQ(by_psk, by(device(1)));
}

TEST(PeerIdentity, OfAPskIsThatOfItsIdentityAndKey) {
  auto& library = environment().library();
  const auto identity = by(device(1));
  EXPECT_TRUE(identity.is_by(library, device(1)));
  EXPECT_FALSE(identity.is_by(library, device(2))) << "another key";
  EXPECT_FALSE(identity.is_by(library, device(1, "device 2"))) << "another identity";
  EXPECT_NE(identity.psk, by(device(1, "device 2")).psk) << "one key of two identities";
  const auto certificate = PeerIdentity::of_certificate(bytes_of("device 1"));
  EXPECT_FALSE(certificate.is_by(library, device(1)));
  // The first 16 bytes of HKDF-SHA256 (RFC 5869) with the salt "sluice psk of session 1", computed
  // by Python's hmac. Stored sessions depend on it.
  EXPECT_EQ(to_hex(identity.psk), "ff76286e31f256e2405f1891d6ba2e45");
}

TEST(PeerIdentity, KeepsTheFingerprintInPlaceOfTheRawPublicKey) {
  const Buffer key = copy_of(ecdsa_identity().public_key());
  auto identity = PeerIdentity::of_certificate(key, dtls::CertificateType::raw_public_key);
  EXPECT_TRUE(identity.has_raw_public_key());
  EXPECT_FALSE(identity.has_certificate());
  EXPECT_EQ(PeerIdentity(identity).info().credential, dtls::PeerCredential::raw_public_key);
  EXPECT_EQ(PeerIdentity(identity).info().certificate, key);
  must(identity.keep_fingerprint_only(environment().library()));
  EXPECT_EQ(identity.proof, PeerProof::raw_public_key_fingerprint);
  EXPECT_TRUE(identity.is_consistent());
  EXPECT_EQ(PeerIdentity(identity).info().credential, dtls::PeerCredential::raw_public_key);
  EXPECT_EQ(PeerIdentity(identity).info().certificate_fingerprint, identity.credential);
  EXPECT_EQ(identity.credential.size(), 32U);
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
  expected.signature_scheme = dtls::SignatureScheme::ecdsa_secp256r1_sha256;
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
  PeerIdentity expected = by(options.pre_shared_keys.front());
  expected.authenticated_at = kFirst;
  const Pair pair = run(options, kFirst, [](Pair& begun) {
    if (begun.server.psk_request) answer_psk(begun.server, dtls::NoPsk{}, kFirst);
  });
  expected.policy = policy_of(options, Role::client);
  EXPECT_EQ(of_server(pair), expected);
  expected.policy = policy_of(options, Role::server);
  EXPECT_EQ(of_client(pair), expected);
}

TEST_P(PeerIdentityOf, AnonymousClients) {
  auto options = with_store(PeerIdentityOf::options());
  options.peer_authentication = PeerAuthentication::none;
  const Pair pair = run(options, kFirst);
  EXPECT_EQ(of_client(pair).proof, PeerProof::none);
  EXPECT_EQ(of_client(pair).authenticated_at, kFirst);
}

// What the events, the connection and the session tell about a peer with a certificate.
void expect_told(const Peer& peer, const dtls::PeerInfo& of_session, const Buffer& certificate,
                 const std::optional<std::string>& name, dtls::Instant at) {
  const auto fingerprint =
      must(dtls::Fingerprint::of(certificate, dtls::HashAlgorithm::sha256, environment())).value;
  const dtls::PeerInfo told = peer.connected->peer;
  const dtls::PeerInfo kept = peer.connection().info()->peer;
  EXPECT_EQ(told.certificate, certificate);
  EXPECT_TRUE(kept.certificate.empty());
  EXPECT_EQ(of_session.certificate, certificate);
  for (const dtls::PeerInfo& info : {told, kept}) {
    EXPECT_EQ(info.certificate_fingerprint, fingerprint);
  }
  for (const dtls::PeerInfo& info : {told, kept, of_session}) {
    EXPECT_EQ(info.credential, dtls::PeerCredential::certificate);
    EXPECT_EQ(info.signature_scheme, dtls::SignatureScheme::ecdsa_secp256r1_sha256);
    EXPECT_EQ(info.verified_name, name);
    EXPECT_TRUE(info.psk_identity.empty());
    EXPECT_EQ(info.authenticated_at, at);
  }
}

TEST_P(PeerIdentityOf, ACertificateIsToldAlsoWhenResumed) {
  const Authority authority("root");
  auto server = with_store(PeerIdentityOf::options());
  server.identities = {authority.issue({.alternative = "DNS:peer.example"})};
  auto client = with_store(PeerIdentityOf::options());
  client.trust_store = authority.store();
  client.peer_authentication = PeerAuthentication::require_and_verify;
  client.peer_name = "peer.example";
  const auto store = std::make_shared<dtls::ResumptionStore>();
  Pair first(client, server);
  first.client = make_client(make_config(client), kFirst);
  first.server.store = store;
  first.run(kFirst);
  ASSERT_TRUE(works(first));
  // The test's certificates are valid for an hour.
  const dtls::Instant soon = kFirst + 1min;
  Pair second = second_pair(client, server, first.client.sessions.at(0), soon);
  second.server.store = store;
  second.run(soon);
  ASSERT_TRUE(works(second));
  ASSERT_TRUE(is_resumed(second));
  const Buffer of_server = copy_of(server.identities.front().certificate());
  const Buffer of_client = copy_of(ecdsa_identity().certificate());
  for (const Pair* pair : std::array<const Pair*, 2>{&first, &second}) {
    expect_told(pair->client, pair->client.sessions.at(0).peer(), of_server, "peer.example",
                kFirst);
    expect_told(pair->server, first.server.stored.at(0).session.peer(), of_client, std::nullopt,
                kFirst);
    const bool by_psk = is13() && pair == &second;
    EXPECT_EQ(pair->client.connected->psk_kind,
              by_psk ? std::optional(dtls::PskKind::resumption) : std::nullopt);
    EXPECT_EQ(pair->client.connected->group, first.client.connected->group);
    EXPECT_TRUE(pair->client.connected->group);
  }
}

TEST_P(PeerIdentityOf, APskIsToldAlsoWhenResumed) {
  auto options = with_tickets(PeerIdentityOf::options());
  options.identities.clear();
  options.pre_shared_keys = {must(dtls::PreSharedKey::make(bytes_of("device 1"), counted(32)))};
  const Pair first = run(options, kFirst);
  Pair second = second_pair(options, options, first.client.sessions.at(0), kSecond);
  second.run(kSecond);
  ASSERT_TRUE(works(second));
  ASSERT_TRUE(is_resumed(second));
  for (const Pair* pair : std::array<const Pair*, 2>{&first, &second}) {
    for (const Peer* peer : {&pair->client, &pair->server}) {
      for (const auto& info : {*peer->connected, *peer->connection().info()}) {
        EXPECT_EQ(info.peer.credential, dtls::PeerCredential::psk);
        EXPECT_EQ(info.peer.psk_identity, copy_of(bytes_of("device 1")));
        EXPECT_TRUE(info.peer.certificate_fingerprint.empty());
        EXPECT_FALSE(info.peer.signature_scheme);
        EXPECT_EQ(info.peer.authenticated_at, kFirst);
        const bool by_ticket = is13() && pair == &second;
        EXPECT_EQ(info.psk_kind, by_ticket ? dtls::PskKind::resumption : dtls::PskKind::external);
      }
    }
  }
}

// Nothing can check the certificate again.
TEST_P(PeerIdentityOf, AFingerprintAloneIsNotResumed) {
  auto options = with_store(PeerIdentityOf::options());
  options.peer_authentication = PeerAuthentication::request;
  const Pair first = run(options, kFirst);
  auto stored = first.server.stored.at(0).session.session().clone();
  must(stored.peer.keep_fingerprint_only(environment().library()));
  Pair second = second_pair(options, options, first.client.sessions.at(0), kSecond);
  second.run(kSecond);
  const dtls::Answer resume =
      dtls::ResumeSession{0, dtls::handshake::to_resumable(std::move(stored)).value()};
  if (second.server.session_request) answer_session(second.server, resume, kSecond);
  if (second.server.psk_request) answer_psk(second.server, resume, kSecond);
  second.run(kSecond);
  ASSERT_TRUE(works(second));
  EXPECT_FALSE(is_resumed(second));
}

// The hash that a session keeps is compared with the announced one, and not computed again.
TEST_P(PeerIdentityOf, AResumedCertificateIsJudgedByTheKeptHash) {
  const auto options = with_store(PeerIdentityOf::options());
  const auto announced = must(dtls::Fingerprint::of(ecdsa_identity().certificate(),
                                                    dtls::HashAlgorithm::sha256, environment()));
  const auto announce = [&](Pair& pair, dtls::Instant now) {
    const auto set = pair.client.connection().set_peer_fingerprints(std::array{announced}, now);
    pair.client.settle(set, now);
    pair.run(now);
  };
  Pair first(options);
  first.client = make_client(make_config(options), kFirst);
  first.server = make_server(make_config(options), kFirst);
  announce(first, kFirst);
  ASSERT_TRUE(works(first));
  auto session = first.client.sessions.at(0).session().clone();
  ASSERT_TRUE(session.peer.certificate_hash);
  EXPECT_TRUE(std::ranges::equal(*session.peer.certificate_hash, announced.value));
  const dtls::Answer resume = dtls::ResumeSession{0, first.server.stored.at(0).session};
  for (const bool is_altered : {false, true}) {
    if (is_altered) session.peer.certificate_hash->front() ^= std::byte{1};
    Pair second = second_pair(options, options,
                              dtls::handshake::to_resumable(session.clone()).value(), kSecond);
    announce(second, kSecond);
    if (second.server.session_request) answer_session(second.server, resume, kSecond);
    if (second.server.psk_request) answer_psk(second.server, resume, kSecond);
    second.run(kSecond);
    if (is_altered) {
      ASSERT_TRUE(second.client.error);
      EXPECT_EQ(second.client.error->code, dtls::Errc::peer_rejected);
    } else {
      ASSERT_TRUE(works(second));
      EXPECT_TRUE(is_resumed(second));
    }
  }
}

// RFC 5246 section 7.4.1.3: an empty session ID of the server's means a full handshake.
TEST(SessionId, AnEmptyOneResumesNothing) {
  const auto client = with_store(options_for(dtls::ProtocolVersion::dtls12));
  auto stored = first_pair(client).client.sessions.at(0).session().clone();
  stored.session_id.clear();
  const auto nameless = dtls::handshake::to_resumable(std::move(stored)).value();
  auto server = client;
  server.resumption = Resumption::none;
  Pair pair = second_pair(client, server, nameless);
  pair.run();
  EXPECT_TRUE(works(pair));
  EXPECT_FALSE(is_resumed(pair));
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
