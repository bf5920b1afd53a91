// A session continues only where its Config still allows it.
#include <gtest/gtest.h>

#include "support/authority.h"
#include "support/moving.h"

namespace sluice::dtls {
namespace {

using test::bytes_of;
using test::export_of;
using test::kRoles;
using test::MovingPair;
using test::must;

class Restore : public test::ByVersion {
 protected:
  static SessionState state_of(const ConfigOptions& with, Role role) {
    MovingPair moving(with);
    moving.connect();
    return must(export_of(moving.peer(role)));
  }
  static ConfigOptions psk_options() {
    ConfigOptions psk = options();
    psk.cipher_suites = {CipherSuite::psk_with_aes_128_gcm_sha256, CipherSuite::aes_128_gcm_sha256};
    psk.policy_id = test::buffer_of("one");
    psk.pre_shared_keys = {must(PreSharedKey::make(bytes_of("us"), Buffer(16, std::byte{1})))};
    return psk;
  }
  static Result<Connection> restore(SessionState state, const ConfigOptions& with,
                                    Instant now = {}) {
    return Connection::restore(test::make_config(with), test::environment(), std::move(state),
                               test::kPath, now);
  }
  // `change` makes a Config that refuses what it allowed before.
  template <class Change>
  static testing::AssertionResult is_refused(const ConfigOptions& with, Role role, Change change,
                                             std::string_view detail,
                                             Errc code = Errc::session_refused) {
    SessionState state = state_of(with, role);
    ConfigOptions changed = with;
    change(changed);
    const auto outcome = restore(std::move(state), changed);
    if (outcome) return testing::AssertionFailure() << "restored";
    const Error& error = outcome.error();
    if (error.code != code || !error.detail.starts_with(detail) || error.is_fatal) {
      return testing::AssertionFailure() << to_string(error);
    }
    return testing::AssertionSuccess();
  }
};
INSTANTIATE_TEST_SUITE_P(Versions, Restore, test::both_versions(), test::name_of_version);

TEST_P(Restore, NeedsTheVersionAndTheSuite) {
  for (const Role role : kRoles) {
    EXPECT_TRUE(is_refused(
        options(), role,
        [](auto& config) {
          config.min_version = config.max_version =
              is13() ? ProtocolVersion::dtls12 : ProtocolVersion::dtls13;
        },
        "version"));
    EXPECT_TRUE(is_refused(
        options(), role,
        [](auto& config) {
          config.cipher_suites = {is13() ? CipherSuite::chacha20_poly1305_sha256
                                         : CipherSuite::ecdhe_ecdsa_with_chacha20_poly1305_sha256};
        },
        "cipher_suites"));
  }
}

TEST_P(Restore, NeedsTheSrtpProfile) {
  EXPECT_TRUE(is_refused(
      options(), Role::server, [](auto& config) { config.srtp_profiles = {}; }, "srtp_profiles"));
}

TEST_P(Restore, NeedsThePolicy) {
  for (const Role role : kRoles) {
    EXPECT_TRUE(is_refused(
        options(), role, [](auto& config) { config.policy_id = test::buffer_of("another"); },
        "policy_id"));
    EXPECT_TRUE(is_refused(
        options(), role,
        [](auto& config) { config.signature_schemes = {SignatureScheme::ecdsa_secp256r1_sha256}; },
        "policy_id"));
  }
}

TEST_P(Restore, NeedsAConfigOfItsRole) {
  EXPECT_TRUE(is_refused(
      options(), Role::server, [](auto& config) { config.identities.clear(); }, "identities",
      Errc::invalid_config));
}

// A policy that the caller names does not make a session weaker.
TEST_P(Restore, ANamedPolicyDoesNotReplaceThePeersProof) {
  ConfigOptions anonymous = options();
  anonymous.policy_id = test::buffer_of("one");
  anonymous.peer_authentication = PeerAuthentication::request;
  ConfigOptions none = anonymous;
  none.peer_authentication = PeerAuthentication::none;
  EXPECT_TRUE(is_refused(
      none, Role::server,
      [](auto& config) { config.peer_authentication = PeerAuthentication::require; },
      "the peer is not accepted"));
}

TEST_P(Restore, AWithdrawnPskEndsItsSessions) {
  const ConfigOptions psk = psk_options();
  for (const Role role : kRoles) {
    EXPECT_TRUE(restore(state_of(psk, role), psk));
    EXPECT_TRUE(is_refused(
        psk, role,
        [](auto& config) {
          config.pre_shared_keys = {must(PreSharedKey::make(bytes_of("them"), Buffer(16)))};
        },
        "the peer is not accepted"));
  }
}

TEST_P(Restore, AReplacedPskEndsItsSessions) {
  const ConfigOptions psk = psk_options();
  for (const Role role : kRoles) {
    EXPECT_TRUE(is_refused(
        psk, role,
        [](auto& config) {
          config.pre_shared_keys = {
              must(PreSharedKey::make(bytes_of("us"), Buffer(16, std::byte{2})))};
        },
        "the peer is not accepted"));
  }
}

// Who keeps the keys elsewhere has decided before calling restore().
TEST_P(Restore, APskBehindAQuestionIsTheCallersToJudge) {
  const ConfigOptions known = psk_options();
  ConfigOptions asking = known;
  asking.pre_shared_keys.clear();
  asking.ask_for_psk = true;
  EXPECT_TRUE(restore(state_of(known, Role::server), asking));

  MovingPair moving(known, asking);
  moving.pair.run();
  test::answer_psk(moving.pair.server, UsePsk{0, known.pre_shared_keys[0]});
  moving.connect();
  moving.move(Role::server);
  EXPECT_TRUE(works(moving.pair));
  // Nothing tells whether that is the key that the Config knows.
  EXPECT_FALSE(restore(must(export_of(moving.pair.server)), known));
}

TEST_P(Restore, NeedsTheTypeOfThePeersCertificate) {
  constexpr auto kX509 = CertificateType::x509;
  constexpr auto kRaw = CertificateType::raw_public_key;
  for (const Role role : kRoles) {
    for (const auto& [used, other] : {std::pair(kRaw, kX509), std::pair(kX509, kRaw)}) {
      ConfigOptions typed = options();
      typed.own_certificate_types = typed.peer_certificate_types = {used};
      typed.policy_id = test::buffer_of("one");
      EXPECT_TRUE(restore(state_of(typed, role), typed));
      EXPECT_TRUE(is_refused(
          typed, role, [type = other](auto& config) { config.peer_certificate_types = {type}; },
          "the peer is not accepted"));
    }
  }
}

TEST_P(Restore, NeedsTheReturnRoutabilityCheckOfItsSession) {
  ConfigOptions with_ids = options();
  with_ids.connection_id_size = 8;
  for (const Role role : kRoles) {
    EXPECT_TRUE(is_refused(
        with_ids, role, [](auto& config) { config.return_routability = ReturnRoutability::none; },
        "return_routability"));
    // Each side has its own way.
    ConfigOptions basic = with_ids;
    basic.return_routability = ReturnRoutability::basic;
    EXPECT_TRUE(restore(state_of(with_ids, role), basic));
  }
}

TEST_P(Restore, NeedsTheSizeOfItsConnectionIds) {
  ConfigOptions with_ids = options();
  with_ids.connection_id_size = 8;
  for (const auto size : {std::optional<std::size_t>(9), std::optional<std::size_t>(0),
                          std::optional<std::size_t>()}) {
    EXPECT_TRUE(is_refused(
        with_ids, Role::server, [size](auto& config) { config.connection_id_size = size; },
        "connection_id_size"));
  }
  RandomConnectionIds longer(test::environment(), 9);
  const auto refused =
      Connection::restore(test::make_config(with_ids), test::environment(),
                          state_of(with_ids, Role::server), test::kPath, {}, &longer);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::invalid_config);
}

// A server takes any length.
TEST_P(Restore, AClientNeedsItsMaxFragmentLength) {
  ConfigOptions asking = options();
  asking.max_fragment_length = 512;
  for (const auto length : {std::optional<std::size_t>(1024), std::optional<std::size_t>()}) {
    MovingPair moving(asking, options());
    moving.connect();
    ConfigOptions other = options();
    other.max_fragment_length = length;
    const auto refused = restore(must(export_of(moving.pair.client)), other);
    ASSERT_FALSE(refused);
    EXPECT_TRUE(refused.error().detail.starts_with("max_fragment_length"));
    moving.move(Role::server);
  }
}

TEST(Restore13, NeedsPskKeWhereNothingElseWasUsed) {
  ConfigOptions alone = test::options_for(ProtocolVersion::dtls13);
  alone.identities.clear();
  alone.pre_shared_keys = {must(PreSharedKey::make(bytes_of("us"), Buffer(32, std::byte{1})))};
  alone.psk_key_exchange_modes = {PskKeyExchangeMode::psk_ke};
  ConfigOptions with_dhe = alone;
  with_dhe.psk_key_exchange_modes = {PskKeyExchangeMode::psk_dhe_ke};
  for (const Role role : kRoles) {
    MovingPair moving(alone);
    moving.connect();
    SessionState state = must(export_of(moving.peer(role)));
    const auto refused = Connection::restore(test::make_config(with_dhe), test::environment(),
                                             std::move(state), test::kPath, {});
    ASSERT_FALSE(refused);
    EXPECT_TRUE(refused.error().detail.starts_with("psk_key_exchange_modes"));
    // NOLINTNEXTLINE(bugprone-use-after-move): an Error leaves it.
    EXPECT_TRUE(Connection::restore(moving.config(role), test::environment(), std::move(state),
                                    test::kPath, {}));
  }
}

TEST_P(Restore, AVerifiedPeerMustStillBeVerified) {
  const test::Authority authority("root");
  ConfigOptions verifying = options();
  verifying.identities = {
      authority.issue({.name = "peer", .alternative = "DNS:peer.example", .valid_for = 7200})};
  verifying.peer_authentication = PeerAuthentication::require_and_verify;
  verifying.trust_store = authority.store();
  verifying.peer_name = "peer.example";
  verifying.policy_id = test::buffer_of("one");
  EXPECT_TRUE(restore(state_of(verifying, Role::client), verifying));
  EXPECT_TRUE(is_refused(
      verifying, Role::client, [](auto& config) { config.peer_name = "other.example"; },
      "the peer is not accepted"));
  const auto late =
      restore(state_of(verifying, Role::client), verifying, Instant(std::chrono::hours{3}));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Errc::session_refused);
  EXPECT_TRUE(late.error().detail.starts_with("the peer's certificates have expired"));
}

// What was accepted by its fingerprint can be told apart later, too.
TEST_P(Restore, FingerprintsMatchAfterwards) {
  MovingPair moving(options());
  moving.connect();
  moving.move_both();
  const auto right = must(Fingerprint::of(test::ecdsa_identity().certificate(),
                                          HashAlgorithm::sha256, test::environment()));
  const auto wrong = must(Fingerprint::of(test::rsa_identity().certificate(), HashAlgorithm::sha256,
                                          test::environment()));
  Connection& client = moving.pair.client.connection();
  EXPECT_TRUE(client.set_peer_fingerprints(std::span(&right, 1), {}));
  EXPECT_FALSE(client.set_peer_fingerprints(std::span(&wrong, 1), {}));
}

TEST_P(Restore, FingerprintsOfRawPublicKeysMatchAfterwards) {
  ConfigOptions raw = options();
  raw.own_certificate_types = raw.peer_certificate_types = {CertificateType::raw_public_key};
  MovingPair moving(raw);
  const auto sha384 = must(Fingerprint::of(test::ecdsa_identity().public_key(),
                                           HashAlgorithm::sha384, test::environment()));
  ASSERT_TRUE(moving.pair.client.connection().set_peer_fingerprints(std::span(&sha384, 1), {}));
  moving.connect();
  moving.move_both();
  EXPECT_TRUE(moving.pair.client.connection().set_peer_fingerprints(std::span(&sha384, 1), {}));
  const auto of_certificate = must(Fingerprint::of(test::ecdsa_identity().certificate(),
                                                   HashAlgorithm::sha256, test::environment()));
  EXPECT_FALSE(
      moving.pair.client.connection().set_peer_fingerprints(std::span(&of_certificate, 1), {}));
}

TEST_P(Restore, AnotherHashIsKept) {
  MovingPair moving(options());
  const auto sha384 = must(Fingerprint::of(test::ecdsa_identity().certificate(),
                                           HashAlgorithm::sha384, test::environment()));
  ASSERT_TRUE(moving.pair.client.connection().set_peer_fingerprints(std::span(&sha384, 1), {}));
  moving.connect();
  moving.move_both();
  EXPECT_TRUE(moving.pair.client.connection().set_peer_fingerprints(std::span(&sha384, 1), {}));
}

TEST(Restore12, NeedsTheExtendedMasterSecretWhereItIsRequired) {
  ConfigOptions without = test::options_for(ProtocolVersion::dtls12);
  without.extended_master_secret = ExtendedMasterSecret::disable;
  MovingPair moving(without);
  moving.connect();
  SessionState state = must(export_of(moving.pair.server));
  ConfigOptions requiring = without;
  requiring.extended_master_secret = ExtendedMasterSecret::require;
  const auto refused = Connection::restore(test::make_config(requiring), test::environment(),
                                           std::move(state), test::kPath, {});
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().detail.starts_with("extended_master_secret"));
}

}  // namespace
}  // namespace sluice::dtls
