// Chains of certificates that lead to a TrustStore (RFC 5280, RFC 9525), what a server wants of its
// clients, and the questions about a verified peer, in both versions.
#include "support/authority.h"
#include "support/connections.h"

namespace sluice::test {
namespace {

using dtls::Alert;
using dtls::Errc;
using dtls::PeerAuthentication;
using dtls::Role;
using dtls::SignatureScheme;

constexpr const char* kHost = "host.example";
const CertificateText kLeaf{.alternative = "DNS:host.example, IP:192.0.2.1"};

const Authority& root() {
  static const Authority kRoot("root");
  return kRoot;
}

class Rfc5280 : public ByVersion {
 protected:
  // That verifies a server called kHost.
  static dtls::ConfigOptions verifying() {
    dtls::ConfigOptions client = options();
    client.peer_authentication = PeerAuthentication::require_and_verify;
    client.trust_store = root().store();
    client.server_name = kHost;
    return client;
  }
  static dtls::ConfigOptions showing(const dtls::Identity& identity) {
    dtls::ConfigOptions server = options();
    server.identities = {identity};
    return server;
  }
  static Pair run(const dtls::ConfigOptions& client, const dtls::ConfigOptions& server) {
    Pair pair(client, server);
    pair.run();
    return pair;
  }
  // A client that verifies, before such a server.
  static testing::AssertionResult refuses(const dtls::Identity& identity, Alert alert,
                                          const dtls::ConfigOptions& client = verifying()) {
    const Pair pair = run(client, showing(identity));
    return failed(pair.client, Errc::untrusted_certificate, alert);
  }
};

TEST_P(Rfc5280, AChainToTheStoreNeedsNoQuestion) {
  const Authority between(root(), "between");
  for (const dtls::Identity& identity : {root().issue(kLeaf), between.issue(kLeaf)}) {
    Pair pair = run(verifying(), showing(identity));
    EXPECT_TRUE(works(pair));
    EXPECT_FALSE(pair.client.question);
  }
}

TEST_P(Rfc5280, AnIntermediateMayBeTheAnchor) {
  const Authority between(root(), "between");
  dtls::ConfigOptions client = verifying();
  client.trust_store = between.store();
  Pair pair = run(client, showing(between.issue(kLeaf)));
  EXPECT_TRUE(works(pair));
}

TEST_P(Rfc5280, AnUnknownRootIsRefused) {
  EXPECT_TRUE(refuses(Authority("other").issue(kLeaf), Alert::unknown_ca));
  EXPECT_TRUE(refuses(Authority("root").issue(kLeaf), Alert::bad_certificate)) << "the same name";
  EXPECT_TRUE(refuses(ecdsa_identity(), Alert::unknown_ca)) << "signed by itself";
}

TEST_P(Rfc5280, ChainsOutsideTheirTimeAreRefused) {
  CertificateText expired = kLeaf;
  expired.valid_for = 1800;
  EXPECT_TRUE(refuses(root().issue(expired), Alert::certificate_expired));
  CertificateText later = kLeaf;
  later.valid_from = 3600;
  EXPECT_TRUE(refuses(root().issue(later), Alert::certificate_expired));
  // The store may have a time of its own.
  dtls::ConfigOptions client = verifying();
  client.trust_store = root().store(std::chrono::system_clock::now() - std::chrono::minutes{45});
  Pair pair = run(client, showing(root().issue(expired)));
  EXPECT_TRUE(works(pair));
}

// RFC 9525 section 6.3: the name stands in subjectAltName, never in the subject.
TEST_P(Rfc5280, TheNameMustBeTheServers) {
  const CertificateText other{.alternative = "DNS:other.example"};
  EXPECT_TRUE(refuses(root().issue(other), Alert::bad_certificate));
  const CertificateText common_name{.name = kHost};
  EXPECT_TRUE(refuses(root().issue(common_name), Alert::bad_certificate));
  dtls::ConfigOptions client = verifying();
  client.server_name = "a.host.example";
  const CertificateText wildcard{.alternative = "DNS:*.host.example"};
  Pair pair = run(client, showing(root().issue(wildcard)));
  EXPECT_TRUE(works(pair));
  const CertificateText partial{.alternative = "DNS:a*.host.example"};
  EXPECT_TRUE(refuses(root().issue(partial), Alert::bad_certificate, client));
}

TEST_P(Rfc5280, PeerNameGoesBeforeServerName) {
  dtls::ConfigOptions client = verifying();
  client.peer_name = "192.0.2.1";
  Pair pair = run(client, showing(root().issue(kLeaf)));
  EXPECT_TRUE(works(pair));
  client.peer_name = "192.0.2.2";
  EXPECT_TRUE(refuses(root().issue(kLeaf), Alert::bad_certificate, client));
}

TEST_P(Rfc5280, WeakCertificatesAreRefused) {
  CertificateText sha1 = kLeaf;
  sha1.digest = "SHA1";
  EXPECT_TRUE(refuses(root().issue(sha1), Alert::bad_certificate));
  const Authority weak("root", KeyKind::rsa_1024);
  dtls::ConfigOptions client = verifying();
  client.trust_store = weak.store();
  EXPECT_TRUE(refuses(weak.issue(kLeaf), Alert::bad_certificate, client));
}

TEST_P(Rfc5280, ACertificateForClientsIsNoServers) {
  CertificateText for_clients = kLeaf;
  for_clients.usage = "clientAuth";
  EXPECT_TRUE(refuses(root().issue(for_clients), Alert::unsupported_certificate));
}

TEST_P(Rfc5280, TheChainsSignatureSchemesAreTheConfigs) {
  const Authority rsa("rsa", KeyKind::rsa_2048);
  dtls::ConfigOptions client = verifying();
  client.trust_store = rsa.store();
  Pair pair = run(client, showing(rsa.issue(kLeaf)));
  EXPECT_TRUE(works(pair));
  client.certificate_signature_schemes = {SignatureScheme::ecdsa_secp256r1_sha256};
  EXPECT_TRUE(refuses(rsa.issue(kLeaf), Alert::unsupported_certificate, client));
}

// Both have to hold.
TEST_P(Rfc5280, AnnouncedFingerprintsAreLookedAtToo) {
  const dtls::Identity identity = root().issue(kLeaf);
  for (const bool matches : {true, false}) {
    Pair pair(verifying(), showing(identity));
    const auto fingerprint = must(
        dtls::Fingerprint::of(matches ? identity.certificate() : ecdsa_identity().certificate(),
                              dtls::HashAlgorithm::sha256, environment()));
    pair.client.settle(pair.client.connection().set_peer_fingerprints(std::array{fingerprint}, {}),
                       {});
    pair.run();
    if (matches) {
      EXPECT_TRUE(works(pair));
    } else {
      EXPECT_TRUE(failed(pair.client, Errc::peer_rejected, Alert::bad_certificate));
    }
  }
}

// ---- what a server wants of its clients

struct Wanted {
  PeerAuthentication mode;
  bool takes_none;       // a client without a certificate
  bool takes_untrusted;  // one whose certificate leads to no root, if the caller accepts it
};

TEST_P(Rfc5280, TheFiveWaysToAskClients) {
  const Wanted all[] = {{PeerAuthentication::none, true, true},
                        {PeerAuthentication::request, true, true},
                        {PeerAuthentication::require, false, true},
                        {PeerAuthentication::verify_if_given, true, false},
                        {PeerAuthentication::require_and_verify, false, false}};
  for (const Wanted& wanted : all) {
    SCOPED_TRACE(static_cast<int>(wanted.mode));
    dtls::ConfigOptions server = options();
    server.peer_authentication = wanted.mode;
    if (!wanted.takes_untrusted) server.trust_store = root().store();
    dtls::ConfigOptions without = options();
    without.identities.clear();
    Pair none = run(without, server);
    EXPECT_EQ(static_cast<bool>(works(none)), wanted.takes_none);
    if (!wanted.takes_none) {
      EXPECT_TRUE(failed(none.server, Errc::missing_certificate,
                         is13() ? Alert::certificate_required : Alert::handshake_failure));
    }
    Pair untrusted = run(options(), server);
    EXPECT_EQ(static_cast<bool>(works(untrusted)), wanted.takes_untrusted);
    Pair trusted = run(showing(root().issue({})), server);
    EXPECT_TRUE(works(trusted));
    const bool asks = wanted.takes_untrusted && wanted.mode != PeerAuthentication::none;
    EXPECT_EQ(trusted.server.question.has_value(), asks);
  }
}

// A client that shows nothing isn't the one that was announced.
TEST_P(Rfc5280, NoCertificateMatchesNoFingerprint) {
  dtls::ConfigOptions server = options();
  server.peer_authentication = PeerAuthentication::request;
  dtls::ConfigOptions client = options();
  client.identities.clear();
  Pair pair(client, server);
  const auto fingerprint = must(dtls::Fingerprint::of(ecdsa_identity().certificate(),
                                                      dtls::HashAlgorithm::sha256, environment()));
  pair.server.settle(pair.server.connection().set_peer_fingerprints(std::array{fingerprint}, {}),
                     {});
  pair.run();
  EXPECT_TRUE(failed(pair.server, Errc::peer_rejected, Alert::bad_certificate));
}

// ---- verify_peer and verify_connection

TEST_P(Rfc5280, AVerifiedPeerMayBeAskedAbout) {
  dtls::ConfigOptions client = verifying();
  client.ask_about_verified_peer = true;
  for (const bool accepts : {true, false}) {
    Pair pair(client, showing(root().issue(kLeaf)));
    pair.client.accepts_peer = false;
    pair.run();
    ASSERT_TRUE(pair.client.question);
    EXPECT_FALSE(pair.client.connected);
    const auto reply = accepts ? dtls::PeerAnswer(dtls::AcceptPeer{})
                               : dtls::PeerAnswer(dtls::RejectPeer{Alert::access_denied});
    pair.client.settle(pair.client.connection().answer(*pair.client.question, reply, {}), {});
    if (accepts) {
      pair.run();
      EXPECT_TRUE(works(pair));
    } else {
      EXPECT_TRUE(failed(pair.client, Errc::peer_rejected, Alert::access_denied, pair.server));
    }
  }
}

TEST_P(Rfc5280, AConnectionMayBeAskedAbout) {
  for (const Role role : kRoles) {
    for (const bool accepts : {true, false}) {
      dtls::ConfigOptions asking = options();
      asking.ask_about_connection = true;
      Pair pair = role == Role::client ? Pair(asking, options()) : Pair(options(), asking);
      Peer& peer = role == Role::client ? pair.client : pair.server;
      Peer& other = role == Role::client ? pair.server : pair.client;
      pair.run();
      ASSERT_TRUE(peer.to_verify);
      EXPECT_EQ(peer.to_verify->info.version, GetParam());
      EXPECT_FALSE(peer.connected);
      answer(peer, peer.to_verify,
             accepts ? dtls::Answer(dtls::AcceptPeer{})
                     : dtls::Answer(dtls::RejectPeer{Alert::access_denied}));
      if (accepts) {
        pair.run();
        EXPECT_TRUE(works(pair));
      } else {
        EXPECT_TRUE(failed(peer, Errc::peer_rejected, Alert::access_denied, other));
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Versions, Rfc5280, both_versions(), name_of_version);

// ---- configurations that can't work

TEST(VerificationConfig, NamesTheFieldThatIsMissing) {
  dtls::ConfigOptions options = test::options();
  options.peer_authentication = PeerAuthentication::verify_if_given;
  const auto without_store = dtls::Config::make(options);
  ASSERT_FALSE(without_store);
  EXPECT_TRUE(without_store.error().detail.starts_with("trust_store:"));
  options.trust_store = root().store();
  const auto client =
      dtls::Connection::client(make_config(options), environment(), kPath, dtls::Instant{});
  ASSERT_FALSE(client);
  EXPECT_TRUE(client.error().detail.starts_with("peer_name:"));
  EXPECT_TRUE(
      dtls::Connection::server(make_config(options), environment(), kPath, dtls::Instant{}));
}

TEST(TrustStore, IsMadeOfPemOrDerOrTheSystems) {
  EXPECT_FALSE(dtls::TrustStore::from_pem("nothing"));
  EXPECT_FALSE(dtls::TrustStore::from_der({}));
  EXPECT_FALSE(dtls::TrustStore::from_der(std::array{dtls::Bytes(bytes_of("x"))}));
  EXPECT_TRUE(dtls::TrustStore::system());
}

}  // namespace
}  // namespace sluice::test
