// An announced fingerprint is matched, or the connection ends (RFC 8122 section 6.2): whatever else
// has authenticated the peer, and whenever the fingerprint is announced. In both versions.
#include "support/authority.h"
#include "support/connections.h"

namespace sluice::test {
namespace {

using dtls::Alert;
using dtls::ConfigOptions;
using dtls::Errc;
using dtls::Fingerprint;
using dtls::HashAlgorithm;
using dtls::PeerAuthentication;
using dtls::Role;

Fingerprint fingerprint_of(const dtls::Identity& identity,
                           HashAlgorithm hash = HashAlgorithm::sha256) {
  return must(Fingerprint::of(identity.certificate(), hash, environment()));
}

void announce(Peer& peer, const Fingerprint& fingerprint) {
  peer.settle(peer.connection().set_peer_fingerprints(std::span(&fingerprint, 1), {}), {});
}

ConfigOptions with_psk(ConfigOptions options) {
  options.identities.clear();
  options.pre_shared_keys = {must(dtls::PreSharedKey::make(bytes_of("device 1"), counted(32)))};
  return options;
}

class AnnouncedFingerprint : public ByVersion {
 protected:
  static Peer& side(Pair& pair, Role role) {
    return role == Role::client ? pair.client : pair.server;
  }
  // It has rejected the peer.
  static testing::AssertionResult rejected(Pair& pair, Role role) {
    Peer& judge = side(pair, role);
    return failed(judge, Errc::peer_rejected, Alert::bad_certificate,
                  side(pair, role == Role::client ? Role::server : Role::client));
  }
};
INSTANTIATE_TEST_SUITE_P(Versions, AnnouncedFingerprint, both_versions(), name_of_version);

TEST_P(AnnouncedFingerprint, IsRefusedByAServerThatRequestsNoCertificate) {
  ConfigOptions server = options();
  server.peer_authentication = PeerAuthentication::none;
  for (const bool late : {false, true}) {
    Pair pair(options(), server);
    if (late) pair.run();
    EXPECT_EQ(pair.server.connected.has_value(), late);
    announce(pair.server, fingerprint_of(ecdsa_identity()));
    EXPECT_TRUE(failed(pair.server, Errc::invalid_config, Alert::internal_error));
    EXPECT_TRUE(pair.server.error->detail.starts_with("peer_authentication:"));
    pair.run();
    EXPECT_FALSE(pair.server.connection().connected());
    EXPECT_EQ(pair.server.connected.has_value(), late);
  }
}

TEST_P(AnnouncedFingerprint, IsNotReplacedByAPsk) {
  for (const Role judge : kRoles) {
    for (const bool late : {false, true}) {
      Pair pair(with_psk(options()));
      if (late) pair.run();
      EXPECT_EQ(side(pair, judge).connected.has_value(), late);
      announce(side(pair, judge), fingerprint_of(ecdsa_identity()));
      if (!late) pair.run();
      EXPECT_TRUE(failed(side(pair, judge), Errc::peer_rejected, Alert::bad_certificate));
      EXPECT_EQ(side(pair, judge).connected.has_value(), late);
      EXPECT_FALSE(side(pair, judge).connection().connected());
    }
    // No certificate has the hash of zeros, and the identity of the PSK is no hash.
    for (const dtls::Buffer& no_hash : {dtls::Buffer(32), buffer_of("device 1")}) {
      Pair pair(with_psk(options()));
      pair.run();
      announce(side(pair, judge), {HashAlgorithm::sha256, no_hash});
      EXPECT_TRUE(failed(side(pair, judge), Errc::peer_rejected, Alert::bad_certificate));
    }
  }
}

TEST_P(AnnouncedFingerprint, IsNotMetByAClientWithoutCertificate) {
  ConfigOptions client = options();
  client.identities.clear();
  ConfigOptions server = options();
  server.peer_authentication = PeerAuthentication::request;
  for (const bool late : {false, true}) {
    Pair pair(client, server);
    if (late) pair.run();
    EXPECT_EQ(pair.server.connected.has_value(), late);
    announce(pair.server, fingerprint_of(ecdsa_identity()));
    if (!late) pair.run();
    EXPECT_TRUE(failed(pair.server, Errc::peer_rejected, Alert::bad_certificate));
    EXPECT_FALSE(pair.server.connection().connected());
  }
}

// It is accepted, as it may have none, and the caller is asked about the connection.
TEST_P(AnnouncedFingerprint, IsNotMetByAnAcceptedClientWithoutCertificate) {
  ConfigOptions client = options();
  client.identities.clear();
  ConfigOptions server = options();
  server.peer_authentication = PeerAuthentication::request;
  server.ask_about_connection = true;
  Pair pair(client, server);
  pair.run();
  ASSERT_TRUE(pair.server.to_verify);
  announce(pair.server, fingerprint_of(ecdsa_identity()));
  EXPECT_TRUE(failed(pair.server, Errc::peer_rejected, Alert::bad_certificate));
  EXPECT_FALSE(pair.server.connected);
}

TEST_P(AnnouncedFingerprint, IsComparedAfterConnected) {
  for (const Role judge : kRoles) {
    Pair pair(options());
    pair.run();
    announce(side(pair, judge), fingerprint_of(ecdsa_identity()));
    EXPECT_TRUE(works(pair));
    announce(side(pair, judge), fingerprint_of(rsa_identity()));
    EXPECT_TRUE(rejected(pair, judge));
  }
}

// Only the hashes of the certificate are left then.
TEST_P(AnnouncedFingerprint, IsComparedByTheHashThatAcceptedThePeer) {
  Pair pair(options());
  announce(pair.client, fingerprint_of(ecdsa_identity(), HashAlgorithm::sha512));
  pair.run();
  announce(pair.client, fingerprint_of(ecdsa_identity(), HashAlgorithm::sha512));
  announce(pair.client, fingerprint_of(ecdsa_identity(), HashAlgorithm::sha256));
  EXPECT_TRUE(works(pair));
  const std::array both{fingerprint_of(rsa_identity(), HashAlgorithm::sha256),
                        fingerprint_of(ecdsa_identity(), HashAlgorithm::sha512)};
  pair.client.settle(pair.client.connection().set_peer_fingerprints(both, {}), {});
  EXPECT_TRUE(works(pair)) << "the strongest hash alone counts";
  announce(pair.client, fingerprint_of(ecdsa_identity(), HashAlgorithm::sha384));
  EXPECT_TRUE(rejected(pair, Role::client));
}

// A later offer may announce more hashes of the same certificate, which is not known any more.
TEST_P(AnnouncedFingerprint, AStrongerHashMayBeAddedAfterConnected) {
  const auto announces = [&](Pair& pair, HashAlgorithm hash, const dtls::Identity& sha256_of) {
    const std::array both{fingerprint_of(ecdsa_identity(), hash),
                          fingerprint_of(sha256_of, HashAlgorithm::sha256)};
    pair.client.settle(pair.client.connection().set_peer_fingerprints(both, {}), {});
  };
  for (const auto hash : {HashAlgorithm::sha384, HashAlgorithm::sha512, HashAlgorithm::sha1}) {
    Pair pair(options());
    announce(pair.client, fingerprint_of(ecdsa_identity()));
    pair.run();
    announces(pair, hash, ecdsa_identity());
    EXPECT_TRUE(works(pair)) << to_string(hash);
    announces(pair, hash, rsa_identity());
    EXPECT_TRUE(rejected(pair, Role::client)) << "the one that can be compared differs";
  }
}

TEST_P(AnnouncedFingerprint, OfAWeakerHashDoesNotCountAfterConnected) {
  Pair pair(options());
  announce(pair.client, fingerprint_of(ecdsa_identity(), HashAlgorithm::sha384));
  pair.run();
  const std::array both{fingerprint_of(rsa_identity(), HashAlgorithm::sha384),
                        fingerprint_of(ecdsa_identity(), HashAlgorithm::sha256)};
  pair.client.settle(pair.client.connection().set_peer_fingerprints(both, {}), {});
  EXPECT_TRUE(rejected(pair, Role::client));
}

// Between the answer, or the end of the verification, and Connected.
TEST_P(AnnouncedFingerprint, IsComparedAfterThePeerIsAccepted) {
  const Authority root("root");
  ConfigOptions by_chain = options();
  by_chain.identities = {root.issue({.alternative = "DNS:peer.example"})};
  by_chain.trust_store = root.store();
  by_chain.peer_authentication = PeerAuthentication::require_and_verify;
  by_chain.peer_name = "peer.example";
  for (ConfigOptions options : {options(), by_chain}) {
    options.ask_about_connection = true;
    for (const Role judge : kRoles) {
      for (const bool right : {true, false}) {
        Pair pair(options);
        pair.run();
        Peer& peer = side(pair, judge);
        const auto asked = std::exchange(peer.to_verify, std::nullopt);
        ASSERT_TRUE(asked) << "accepted, but not connected";
        announce(peer, fingerprint_of(right ? options.identities.front() : rsa_identity()));
        EXPECT_FALSE(peer.to_verify) << "it is asked once";
        peer.to_verify = asked;
        if (right) {
          for (Peer* each : {&pair.client, &pair.server}) {
            answer(*each, each->to_verify, dtls::AcceptPeer{});
          }
          EXPECT_TRUE(works(pair));
        } else {
          EXPECT_TRUE(failed(peer, Errc::peer_rejected, Alert::bad_certificate));
          EXPECT_FALSE(peer.connected);
        }
      }
    }
  }
}

TEST_P(AnnouncedFingerprint, AnEmptyListMatchesNobodyEvenAfterConnected) {
  Pair pair(options());
  pair.run();
  pair.client.settle(pair.client.connection().set_peer_fingerprints({}, {}), {});
  EXPECT_TRUE(rejected(pair, Role::client));
}

}  // namespace
}  // namespace sluice::test
