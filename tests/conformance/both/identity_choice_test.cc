// Which of its identities a side shows (RFC 6066 section 3, RFC 5246 sections 7.4.2 and 7.4.4, RFC
// 8446 sections 4.2.3, 4.2.4 and 4.4.2), in both versions.
#include "support/authority.h"
#include "support/connections.h"

namespace sluice::test {
namespace {

using dtls::Alert;
using dtls::Errc;
using dtls::Identity;
using dtls::PeerAuthentication;
using dtls::SignatureScheme;

const Authority& authority() {
  static const Authority kAuthority("root");
  return kAuthority;
}
const Authority& other_authority() {
  static const Authority kAuthority("other root", KeyKind::rsa_2048);
  return kAuthority;
}

bool shows(const Peer& peer, const Identity& identity) {
  return !peer.peer_chain.empty() &&
         std::ranges::equal(peer.peer_chain.front(), identity.certificate());
}

class IdentityChoice : public ByVersion {
 protected:
  const Identity first_ = authority().issue({.alternative = "DNS:first.example"});
  const Identity second_ = authority().issue({.alternative = "DNS:*.second.example"});
  const Identity rsa_ =
      authority().issue({.alternative = "DNS:first.example", .key = KeyKind::rsa_2048});

  // What the client sees when the server has all three.
  Pair served(const dtls::ConfigOptions& client) {
    dtls::ConfigOptions server = options();
    server.identities = {first_, second_, rsa_};
    Pair pair(client, server);
    pair.run();
    return pair;
  }
};

TEST_P(IdentityChoice, TheServersFollowsTheNameThatTheClientAsksFor) {
  dtls::ConfigOptions client = options();
  EXPECT_TRUE(shows(served(client).client, first_)) << "no name";
  client.server_name = "a.second.example";
  EXPECT_TRUE(shows(served(client).client, second_));
  client.server_name = "A.SECOND.example";
  EXPECT_TRUE(shows(served(client).client, second_)) << "names have no case";
  client.server_name = "third.example";
  EXPECT_TRUE(shows(served(client).client, first_)) << "none for it";
}

TEST_P(IdentityChoice, TheServersFollowsTheClientsSignatureSchemes) {
  dtls::ConfigOptions client = options();
  client.signature_schemes = {SignatureScheme::rsa_pss_rsae_sha256};
  // Its own certificate is of no use to such a client.
  client.identities.clear();
  dtls::ConfigOptions server = options();
  server.identities = {first_, rsa_};
  server.peer_authentication = PeerAuthentication::none;
  // The chain is signed by an ECDSA key, which isn't looked at here.
  Pair pair(client, server);
  pair.run();
  ASSERT_TRUE(works(pair));
  EXPECT_TRUE(shows(pair.client, rsa_));
}

// A key for the name goes before a preferred cipher suite, but not before none.
TEST_P(IdentityChoice, ANameThatTheClientCannotUseIsAsGoodAsNone) {
  dtls::ConfigOptions client = options();
  client.server_name = "a.second.example";
  client.identities.clear();
  client.signature_schemes = {SignatureScheme::rsa_pss_rsae_sha256};
  dtls::ConfigOptions server = options();
  server.identities = {second_, rsa_};
  server.peer_authentication = PeerAuthentication::none;
  Pair pair(client, server);
  pair.run();
  ASSERT_TRUE(works(pair));
  EXPECT_TRUE(shows(pair.client, rsa_));
}

TEST_P(IdentityChoice, TheClientsFollowsTheServersAuthorities) {
  const Identity by_other = other_authority().issue({});
  dtls::ConfigOptions client = options();
  client.identities = {first_, by_other};
  dtls::ConfigOptions server = options();
  for (const bool announces : {false, true}) {
    server.announce_authorities = announces;
    if (announces) server.trust_store = other_authority().store();
    Pair pair(client, server);
    pair.run();
    ASSERT_TRUE(works(pair));
    EXPECT_TRUE(shows(pair.server, announces ? by_other : first_));
  }
}

// One that a root elsewhere has signed is better than none.
TEST_P(IdentityChoice, OneThatFitsNoAuthorityIsShownAllTheSame) {
  dtls::ConfigOptions server = options();
  server.trust_store = other_authority().store();
  server.announce_authorities = true;
  dtls::ConfigOptions client = options();
  client.identities = {first_, second_};
  Pair pair(client, server);
  pair.run();
  ASSERT_TRUE(works(pair));
  EXPECT_TRUE(shows(pair.server, first_));
}

// signature_algorithms_cert: in DTLS 1.2 a client says it as well.
TEST_P(IdentityChoice, TheServersFollowsTheSchemesOfChains) {
  const Identity by_rsa = other_authority().issue({});
  dtls::ConfigOptions server = options();
  server.identities = {by_rsa, first_};
  dtls::ConfigOptions client = options();
  for (const bool wants_ecdsa : {false, true}) {
    if (wants_ecdsa) {
      client.certificate_signature_schemes = {SignatureScheme::ecdsa_secp256r1_sha256};
    }
    Pair pair(client, server);
    pair.run();
    ASSERT_TRUE(works(pair));
    EXPECT_TRUE(shows(pair.client, wants_ecdsa ? first_ : by_rsa));
  }
}

TEST_P(IdentityChoice, Ed25519) {
  dtls::ConfigOptions both = options();
  both.identities = {authority().issue({.key = KeyKind::ed25519})};
  Pair pair(both);
  pair.run();
  EXPECT_TRUE(works(pair));
  both.signature_schemes = {SignatureScheme::ecdsa_secp256r1_sha256};
  Pair refused(options(), both);
  refused.run();
  EXPECT_TRUE(failed(refused.server, Errc::no_common_signature_scheme, Alert::handshake_failure));
}

// ---- IdentityRequested: get_certificate and get_client_certificate

TEST_P(IdentityChoice, AServerAsksAndWaits) {
  dtls::ConfigOptions client = options();
  client.server_name = "a.second.example";
  dtls::ConfigOptions server = options();
  server.identities.clear();
  server.ask_for_identity = true;
  Pair pair(client, server);
  pair.run();
  ASSERT_TRUE(pair.server.identity_request);
  EXPECT_EQ(pair.server.identity_request->server_name, "a.second.example");
  EXPECT_EQ(pair.server.identity_request->signature_schemes, client.signature_schemes);
  // The hello comes again meanwhile, and nothing is asked twice.
  pair.server.identity_request->server_name.clear();
  pair.client.settle(
      pair.client.connection().handle_timeout(*pair.client.connection().next_timeout()), {});
  pair.run();
  EXPECT_TRUE(pair.server.identity_request->server_name.empty());
  answer(pair.server, pair.server.identity_request, dtls::UseIdentity{second_});
  pair.run();
  ASSERT_TRUE(works(pair));
  EXPECT_TRUE(shows(pair.client, second_));
}

TEST_P(IdentityChoice, AServerWithoutAnAnswerFallsBackOnItsConfig) {
  for (const bool has_one : {true, false}) {
    dtls::ConfigOptions server = options();
    server.ask_for_identity = true;
    if (!has_one) server.identities.clear();
    Pair pair(options(), server);
    pair.run();
    ASSERT_TRUE(pair.server.identity_request);
    answer(pair.server, pair.server.identity_request, dtls::NoIdentity{});
    if (has_one) {
      pair.run();
      EXPECT_TRUE(works(pair));
      EXPECT_TRUE(shows(pair.client, ecdsa_identity()));
    } else {
      EXPECT_TRUE(failed(pair.server,
                         is13() ? Errc::no_common_signature_scheme : Errc::no_common_cipher_suite,
                         Alert::handshake_failure, pair.client));
    }
  }
}

TEST_P(IdentityChoice, AnIdentityThatTheClientCannotUseEndsTheHandshake) {
  dtls::ConfigOptions client = options();
  client.signature_schemes = {SignatureScheme::ecdsa_secp256r1_sha256};
  dtls::ConfigOptions server = options();
  server.ask_for_identity = true;
  Pair pair(client, server);
  pair.run();
  answer(pair.server, pair.server.identity_request, dtls::UseIdentity{rsa_});
  EXPECT_TRUE(
      failed(pair.server, Errc::no_common_signature_scheme, Alert::handshake_failure, pair.client));
}

TEST_P(IdentityChoice, AClientAsksAndWaits) {
  dtls::ConfigOptions client = options();
  client.identities.clear();
  client.ask_for_identity = true;
  dtls::ConfigOptions server = options();
  server.peer_authentication = PeerAuthentication::request;
  server.trust_store = other_authority().store();
  server.announce_authorities = true;
  for (const bool has_one : {true, false}) {
    Pair pair(client, server);
    pair.run();
    ASSERT_TRUE(pair.client.identity_request);
    ASSERT_EQ(pair.client.identity_request->authorities.size(), 1U);
    EXPECT_EQ(pair.client.identity_request->authorities.front(), other_authority().name());
    EXPECT_EQ(pair.client.identity_request->signature_schemes, server.signature_schemes);
    answer(pair.client, pair.client.identity_request,
           has_one ? dtls::Answer(dtls::UseIdentity{second_}) : dtls::Answer(dtls::NoIdentity{}));
    pair.run();
    ASSERT_TRUE(works(pair));
    EXPECT_EQ(shows(pair.server, second_), has_one);
  }
}

TEST_P(IdentityChoice, NobodyIsAskedWhereNoCertificateIsWanted) {
  dtls::ConfigOptions client = options();
  client.ask_for_identity = true;
  dtls::ConfigOptions server = options();
  server.peer_authentication = PeerAuthentication::none;
  Pair pair(client, server);
  pair.run();
  EXPECT_FALSE(pair.client.identity_request);
  EXPECT_TRUE(works(pair));
}

INSTANTIATE_TEST_SUITE_P(Versions, IdentityChoice, both_versions(), name_of_version);

TEST(IdentityChoiceOfRoles, AServerNeedsSomethingToProveItselfWith) {
  dtls::ConfigOptions options = test::options();
  options.identities.clear();
  const auto config = make_config(options);
  const auto server = dtls::Connection::server(config, environment(), kPath, {});
  ASSERT_FALSE(server);
  EXPECT_EQ(server.error().code, Errc::invalid_config);
  EXPECT_TRUE(server.error().detail.starts_with("identities:"));
  EXPECT_TRUE(dtls::Connection::client(config, environment(), kPath, {}));
}

}  // namespace
}  // namespace sluice::test
