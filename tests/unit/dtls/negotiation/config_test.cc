#include <gtest/gtest.h>

#include <sluice/dtls/config.h>
#include <sluice/dtls/connection.h>

#include <functional>
#include <limits>

#include "support/bytes.h"
#include "support/endpoints.h"

namespace sluice::dtls {
namespace {

using std::chrono::seconds;

// What Config::make says about the defaults with one change.
std::string outcome(const std::function<void(ConfigOptions&)>& change) {
  ConfigOptions options = test::options();
  change(options);
  const auto config = Config::make(std::move(options));
  if (config) return "good";
  EXPECT_EQ(config.error().code, Errc::invalid_config);
  const std::string_view detail = config.error().detail;
  return std::string(detail.substr(0, detail.find(':')));
}

TEST(Config, KeepsItsOptions) {
  ConfigOptions options = test::options();
  options.mtu = 1000;
  const ConfigPtr config = test::must(Config::make(options));
  EXPECT_EQ(config->options().mtu, 1000U);
  EXPECT_EQ((*config)->mtu, 1000U);
}

TEST(Config, NamesTheFieldThatIsMissingOrEmpty) {
  EXPECT_EQ(outcome([](auto&) {}), "good");
  EXPECT_EQ(outcome([](auto& o) { o.identities.clear(); }), "good") << "a client needs none";
  EXPECT_EQ(outcome([](auto& o) { o.cipher_suites.clear(); }), "cipher_suites");
  EXPECT_EQ(outcome([](auto& o) { o.signature_schemes.clear(); }), "signature_schemes");
  EXPECT_EQ(outcome([](auto& o) { o.srtp_profiles.clear(); }), "good") << "no use_srtp";
}

// A stored session has room for a name of a host.
TEST(Config, PeerNameHasAtMost255Bytes) {
  const auto with_name = [](std::size_t size) {
    return outcome([&](auto& o) {
      o.peer_authentication = PeerAuthentication::require_and_verify;
      o.trust_store = test::must(TrustStore::system());
      o.peer_name = std::string(size, 'a');
    });
  };
  EXPECT_EQ(with_name(255), "good");
  EXPECT_EQ(with_name(256), "peer_name");
}

TEST(Config, APskTakesTheCertificatesPlace) {
  const auto key = test::must(PreSharedKey::make(test::bytes_of("id"), test::counted(16)));
  const auto without_certificate = [&](auto change) {
    return outcome([&](auto& o) {
      o.identities.clear();
      change(o);
    });
  };
  EXPECT_EQ(without_certificate([&](auto& o) { o.pre_shared_keys = {key}; }), "good");
  EXPECT_EQ(without_certificate([](auto& o) { o.ask_for_psk = true; }), "good");
  EXPECT_EQ(without_certificate([](auto& o) { o.resumption = Resumption::store; }), "good");
  EXPECT_EQ(without_certificate([&](auto& o) {
              o.pre_shared_keys = {key};
              o.max_version = ProtocolVersion::dtls12;
            }),
            "good");
  // Nothing is left that goes with a key alone.
  EXPECT_EQ(without_certificate([&](auto& o) {
              o.pre_shared_keys = {key};
              o.cipher_suites = {CipherSuite::ecdhe_ecdsa_with_aes_128_gcm_sha256};
            }),
            "cipher_suites");
  EXPECT_EQ(without_certificate([&](auto& o) {
              o.pre_shared_keys = {key};
              o.psk_identity_hint.resize(129);
            }),
            "psk_identity_hint");
}

// RFC 8446 section 4.6.1: seven days.
TEST(Config, SessionsHaveALifetime) {
  const auto lifetime = [](Duration time) {
    return outcome([=](auto& o) { o.session_lifetime = time; });
  };
  EXPECT_EQ(lifetime({}), "session_lifetime");
  EXPECT_EQ(lifetime(seconds{1}), "good");
  EXPECT_EQ(lifetime(seconds{604800}), "good");
  EXPECT_EQ(lifetime(seconds{604801}), "session_lifetime");
  EXPECT_EQ(outcome([](auto& o) {
              o.session_lifetime = seconds{11};
              o.ticket_keys = std::make_shared<TicketKeys>(seconds{10});
            }),
            "session_lifetime")
      << "the keys may be gone by then";
}

TEST(Config, SessionsEndWithTheAgeOfTheProof) {
  const auto age = [](Duration time) {
    return outcome([=](auto& o) { o.max_session_age = time; });
  };
  EXPECT_EQ(age(std::chrono::hours{24} - Duration{1}), "max_session_age") << "session_lifetime";
  EXPECT_EQ(age(std::chrono::hours{24}), "good");
  EXPECT_EQ(age(std::chrono::hours{24 * 365}), "good");
  EXPECT_EQ(age(std::chrono::hours{24 * 365} + Duration{1}), "max_session_age");
  EXPECT_EQ(outcome([](auto& o) { o.policy_id.resize(kMaxPolicyId); }), "good");
  EXPECT_EQ(outcome([](auto& o) { o.policy_id.resize(kMaxPolicyId + 1); }), "policy_id");
}

// What would have no effect is a mistake of the caller's, who counts on it.
TEST(Config, SettingsWithoutEffectAreRefused) {
  const auto only12 = [](ConfigOptions& o) { o.max_version = ProtocolVersion::dtls12; };
  const auto only13 = [](ConfigOptions& o) { o.min_version = ProtocolVersion::dtls13; };
  const auto system = test::must(TrustStore::system());

  EXPECT_EQ(outcome([&](auto& o) { o.trust_store = system; }), "trust_store");
  EXPECT_EQ(outcome([](auto& o) { o.peer_name = "a.example"; }), "peer_name");
  EXPECT_EQ(outcome([&](auto& o) {
              o.trust_store = system;
              o.announce_authorities = true;
            }),
            "announce_authorities")
      << "no names";
  EXPECT_EQ(outcome([](auto& o) { o.ticket_keys = std::make_shared<TicketKeys>(); }),
            "ticket_keys");
  EXPECT_EQ(outcome([](auto& o) {
              o.srtp_profiles.clear();
              o.srtp_mki.resize(1);
            }),
            "srtp_mki");
  EXPECT_EQ(outcome([](auto& o) {
              o.srtp_profiles.clear();
              o.max_srtp_mki = 1;
            }),
            "max_srtp_mki");
  EXPECT_EQ(outcome([](auto& o) { o.psk_identity_hint.resize(1); }), "psk_identity_hint");
  EXPECT_EQ(outcome([&](auto& o) {
              only13(o);
              o.ask_for_psk = true;
              o.psk_identity_hint.resize(1);
            }),
            "psk_identity_hint");
  EXPECT_EQ(outcome([&](auto& o) {
              only12(o);
              o.record_padding = 64;
            }),
            "record_padding");
  EXPECT_EQ(outcome([&](auto& o) {
              only12(o);
              o.max_records_per_key = 1000;
            }),
            "max_records_per_key");
  EXPECT_EQ(outcome([&](auto& o) {
              only12(o);
              o.resumption = Resumption::store;
              o.extended_master_secret = ExtendedMasterSecret::disable;
            }),
            "resumption");
}

TEST(Config, AKeyNeedsASuiteAndAShortTagALimit) {
  const auto sha384_key = test::must(
      PreSharedKey::make(test::bytes_of("id"), test::counted(16), HashAlgorithm::sha384));
  const auto with_key = [&](const std::vector<CipherSuite>& suites) {
    return outcome([&](auto& o) {
      o.pre_shared_keys = {sha384_key};
      o.cipher_suites = suites;
    });
  };
  EXPECT_EQ(with_key({CipherSuite::aes_128_gcm_sha256}), "pre_shared_keys") << "another hash";
  EXPECT_EQ(with_key({CipherSuite::aes_256_gcm_sha384}), "good");
  EXPECT_EQ(with_key({CipherSuite::aes_128_gcm_sha256, CipherSuite::psk_with_aes_128_gcm_sha256}),
            "good")
      << "DTLS 1.2 takes any";
  EXPECT_EQ(outcome([](auto& o) { o.cipher_suites.push_back(CipherSuite::aes_128_ccm_8_sha256); }),
            "max_forgeries_per_key");
}

// RFC 6066 section 4.
TEST(Config, AMaxFragmentLengthIsOneOfFour) {
  const auto length = [](std::size_t size) {
    return outcome([=](auto& o) { o.max_fragment_length = size; });
  };
  for (const std::size_t size : {512U, 1024U, 2048U, 4096U}) EXPECT_EQ(length(size), "good");
  for (const std::size_t size : {0U, 256U, 511U, 513U, 8192U, 16384U, 131072U}) {
    EXPECT_EQ(length(size), "max_fragment_length") << size;
  }
}

// RFC 8446 section 4.2.9.
TEST(Config, ModesOfPsksNeedPsksAndDtls13) {
  using enum PskKeyExchangeMode;
  using Modes = std::vector<PskKeyExchangeMode>;
  const auto key = test::must(PreSharedKey::make(test::bytes_of("id"), test::counted(16)));
  const auto modes = [&](Modes list, const std::function<void(ConfigOptions&)>& change) {
    return outcome([&](auto& o) {
      o.psk_key_exchange_modes = std::move(list);
      o.pre_shared_keys = {key};
      change(o);
    });
  };
  const auto nothing = [](auto&) {};
  EXPECT_EQ(modes({psk_ke}, nothing), "good");
  EXPECT_EQ(modes({psk_dhe_ke, psk_ke}, nothing), "good");
  for (const Modes& list : {Modes{}, Modes{psk_ke, psk_ke}, Modes{PskKeyExchangeMode{2}}}) {
    EXPECT_EQ(modes(list, nothing), "psk_key_exchange_modes");
  }
  EXPECT_EQ(modes({psk_ke}, [](auto& o) { o.max_version = ProtocolVersion::dtls12; }),
            "psk_key_exchange_modes");
  EXPECT_EQ(modes({psk_ke}, [](auto& o) { o.pre_shared_keys.clear(); }), "psk_key_exchange_modes");
  EXPECT_EQ(modes({psk_ke},
                  [](auto& o) {
                    o.pre_shared_keys.clear();
                    o.resumption = Resumption::store;
                  }),
            "good");
}

// RFC 7250 section 4.1: a side offers only what it has.
TEST(Config, EachOwnCertificateTypeIsThatOfAnIdentity) {
  using Types = std::vector<CertificateType>;
  constexpr auto kRaw = CertificateType::raw_public_key;
  const auto raw =
      test::must(Identity::raw_public_key_elsewhere(test::ecdsa_identity().public_key()));
  const auto own = [&](Types types, std::vector<Identity> identities) {
    return outcome([&](auto& o) {
      o.own_certificate_types = std::move(types);
      o.identities = std::move(identities);
    });
  };
  const Identity& x509 = test::ecdsa_identity();
  EXPECT_EQ(own({kRaw}, {x509}), "good") << "a certificate has a key";
  EXPECT_EQ(own({kRaw, CertificateType::x509}, {x509}), "good");
  EXPECT_EQ(own({kRaw}, {raw}), "good");
  EXPECT_EQ(own({kRaw, CertificateType::x509}, {raw}), "own_certificate_types");
  EXPECT_EQ(own({kRaw, CertificateType::x509}, {raw, x509}), "good");
  EXPECT_EQ(own({CertificateType::x509}, {raw}), "identities");
  EXPECT_EQ(own({CertificateType::x509}, {x509, raw}), "identities") << "one is never used";
  EXPECT_EQ(own({kRaw}, {}), "own_certificate_types");
  for (const Types& types : {Types{}, Types{kRaw, kRaw}, Types{CertificateType{1}}}) {
    EXPECT_EQ(own(types, {x509}), "own_certificate_types");
    EXPECT_EQ(outcome([&](auto& o) { o.peer_certificate_types = types; }),
              "peer_certificate_types");
  }
  EXPECT_EQ(outcome([&](auto& o) {
              o.own_certificate_types = {kRaw};
              o.identities.clear();
              o.ask_for_identity = true;
            }),
            "good");
}

// RFC 7250 section 4.4: only what is known out of band authenticates a raw public key.
TEST(Config, ATrustStoreGoesWithRawPublicKeysOnlyWhereSomebodyIsAsked) {
  const auto verifying = [](std::vector<CertificateType> types, bool asks) {
    return outcome([&](auto& o) {
      o.peer_authentication = PeerAuthentication::require_and_verify;
      o.trust_store = test::must(TrustStore::system());
      o.peer_certificate_types = std::move(types);
      o.ask_about_verified_peer = asks;
    });
  };
  constexpr auto kX509 = CertificateType::x509;
  constexpr auto kRaw = CertificateType::raw_public_key;
  EXPECT_EQ(verifying({kX509, kRaw}, false), "peer_certificate_types");
  EXPECT_EQ(verifying({kX509, kRaw}, true), "good");
  EXPECT_EQ(verifying({kRaw}, true), "peer_certificate_types") << "the store is for nothing";
}

// What a connection of this role says about the defaults with one change.
std::string refusal(Role role, const std::function<void(ConfigOptions&)>& change) {
  ConfigOptions options = test::options();
  change(options);
  const auto config = test::make_config(options);
  const auto made = role == Role::client
                        ? Connection::client(config, test::environment(), test::kPath, {})
                        : Connection::server(config, test::environment(), test::kPath, {});
  if (made) return "good";
  EXPECT_EQ(made.error().code, Errc::invalid_config);
  const std::string_view detail = made.error().detail;
  return std::string(detail.substr(0, detail.find(':')));
}

TEST(Config, AServerThatRequestsNoCertificateTakesNoRawPublicKey) {
  const auto requests_none = [](auto& o) {
    o.peer_authentication = PeerAuthentication::none;
    o.peer_certificate_types = {CertificateType::raw_public_key};
  };
  EXPECT_EQ(refusal(Role::server, requests_none), "peer_certificate_types");
  EXPECT_EQ(refusal(Role::client, requests_none), "good");
}

TEST(Config, OnlyAClientAsksForAMaxFragmentLength) {
  const auto asks_for_length = [](auto& o) { o.max_fragment_length = 512; };
  EXPECT_EQ(refusal(Role::server, asks_for_length), "max_fragment_length");
  EXPECT_EQ(refusal(Role::client, asks_for_length), "good");
}

// Without a key_share only a PSK of DTLS 1.3 can connect a client.
TEST(Config, AClientWithPskKeAloneHasAPskAndDtls13) {
  const auto key = test::must(PreSharedKey::make(test::bytes_of("id"), test::counted(16)));
  const auto psk_ke = [&](ProtocolVersion lowest) {
    return [&key, lowest](auto& o) {
      o.psk_key_exchange_modes = {PskKeyExchangeMode::psk_ke};
      o.pre_shared_keys = {key};
      o.min_version = lowest;
    };
  };
  EXPECT_EQ(refusal(Role::client, psk_ke(ProtocolVersion::dtls12)), "psk_key_exchange_modes");
  EXPECT_EQ(refusal(Role::client, psk_ke(ProtocolVersion::dtls13)), "good");
  EXPECT_EQ(refusal(Role::server, psk_ke(ProtocolVersion::dtls12)), "good");
}

// What the role decides.
TEST(Config, SettingsWithoutEffectInARoleAreRefusedThere) {
  const auto key = [](int number) {
    return test::must(
        PreSharedKey::make(test::bytes_of("id" + std::to_string(number)), test::counted(16)));
  };
  EXPECT_EQ(refusal(Role::server, [](auto& o) { o.identities.clear(); }), "identities");
  EXPECT_EQ(refusal(Role::client, [](auto& o) { o.identities.clear(); }), "good");
  EXPECT_EQ(refusal(Role::server, [](auto& o) { o.resumption = Resumption::tickets; }),
            "ticket_keys");
  EXPECT_EQ(refusal(Role::client, [](auto& o) { o.resumption = Resumption::tickets; }), "good");
  EXPECT_EQ(refusal(Role::client, [](auto& o) { o.ask_for_config = true; }), "ask_for_config");
  const auto psk13 = [](auto& o) {
    o.min_version = ProtocolVersion::dtls13;
    o.ask_for_psk = true;
  };
  EXPECT_EQ(refusal(Role::client, psk13), "ask_for_psk");
  EXPECT_EQ(refusal(Role::server, psk13), "good");
  const auto keys = [&](int count) {
    return [&, count](ConfigOptions& o) {
      for (int i = 0; i < count; ++i) o.pre_shared_keys.push_back(key(i));
    };
  };
  EXPECT_EQ(refusal(Role::client, keys(8)), "good");
  EXPECT_EQ(refusal(Role::client, keys(9)), "pre_shared_keys");
  EXPECT_EQ(refusal(Role::server, keys(9)), "good");
  EXPECT_EQ(refusal(Role::client,
                    [&](auto& o) {
                      keys(2)(o);
                      o.max_version = ProtocolVersion::dtls12;
                    }),
            "pre_shared_keys");
}

TEST(Config, NamesTheFieldWithAnUnknownCode) {
  EXPECT_EQ(outcome([](auto& o) { o.cipher_suites.push_back(CipherSuite{0x002f}); }),
            "cipher_suites");
  EXPECT_EQ(outcome([](auto& o) { o.groups.push_back(NamedGroup{0xfafa}); }), "groups");
  EXPECT_EQ(outcome([](auto& o) { o.signature_schemes.push_back(SignatureScheme{0x0201}); }),
            "signature_schemes");
  EXPECT_EQ(outcome([](auto& o) { o.srtp_profiles.push_back(SrtpProfile{5}); }), "srtp_profiles");
}

// RFC 8996: 1.0 never.
TEST(Config, NamesTheVersionThatThereIsNot) {
  EXPECT_EQ(outcome([](auto& o) { o.min_version = ProtocolVersion::dtls10; }), "min_version");
  EXPECT_EQ(outcome([](auto& o) { o.min_version = ProtocolVersion{0x0303}; }), "min_version");
  EXPECT_EQ(outcome([](auto& o) { o.max_version = ProtocolVersion{0xfefb}; }), "max_version");
}

TEST(Config, SizesHaveTheirStatedBounds) {
  const auto mtu = [](std::size_t size) { return outcome([=](auto& o) { o.mtu = size; }); };
  EXPECT_EQ(mtu(0), "mtu");
  EXPECT_EQ(mtu(255), "mtu");
  EXPECT_EQ(mtu(256), "good");
  EXPECT_EQ(mtu(16384), "good");
  EXPECT_EQ(mtu(16385), "mtu");

  const auto message = [](std::size_t size) {
    return outcome([=](auto& o) {
      o.max_handshake_message = size;
      o.max_reassembly = std::size_t{1} << 26;
    });
  };
  EXPECT_EQ(message(2047), "max_handshake_message");
  EXPECT_EQ(message(2048), "good");
  EXPECT_EQ(message((1U << 24) - 1), "good");
  EXPECT_EQ(message(1U << 24), "max_handshake_message");

  EXPECT_EQ(outcome([](auto& o) { o.max_reassembly = 2047; }), "max_reassembly");
  EXPECT_EQ(outcome([](auto& o) { o.max_records_per_key = 1; }), "max_records_per_key");
  EXPECT_EQ(outcome([](auto& o) { o.max_reassembly = o.max_handshake_message - 1; }),
            "max_reassembly");
  EXPECT_EQ(outcome([](auto& o) { o.max_reassembly = o.max_handshake_message; }), "good");
  EXPECT_EQ(outcome([](auto& o) { o.max_unaccepted_data = 0; }), "good");
}

// RFC 9147 section 4.5.3: a tag of 8 bytes needs a limit of forgeries.
TEST(Config, ShortTagsNeedALimitOfForgeries) {
  const auto limit = [](std::uint64_t forgeries) {
    return outcome([=](auto& o) {
      o.cipher_suites = {CipherSuite::aes_128_ccm_8_sha256};
      o.max_forgeries_per_key = forgeries;
    });
  };
  EXPECT_EQ(limit(UINT64_MAX), "max_forgeries_per_key");
  EXPECT_EQ(limit(1024), "good");
}

TEST(Config, AReplayWindowConsistsOfUnits) {
  const auto window = [](std::size_t size) {
    return outcome([=](auto& o) { o.replay_window = size; });
  };
  for (const std::size_t size : {63U, 65U, 100U, 8191U, 8256U}) {
    EXPECT_EQ(window(size), "replay_window") << size;
  }
  for (const std::size_t size : {0U, 64U, 8192U}) EXPECT_EQ(window(size), "good") << size;
}

TEST(Config, AServerNameHasAtMost255Bytes) {
  const auto name = [](std::size_t size) {
    return outcome([=](auto& o) { o.server_name = std::string(size, 'a'); });
  };
  EXPECT_EQ(name(255), "good");
  EXPECT_EQ(name(256), "server_name");
}

TEST(Config, TimersMustMoveForward) {
  const auto timers = [](const RetransmissionTimers& values) {
    return outcome([&](auto& o) { o.timers = values; });
  };
  EXPECT_EQ(timers({.initial = Duration::zero()}), "timers.initial");
  EXPECT_EQ(timers({.initial = seconds{-1}}), "timers.initial");
  EXPECT_EQ(timers({.back_off = 0.99}), "timers.back_off");
  EXPECT_EQ(timers({.back_off = -2}), "timers.back_off");
  EXPECT_EQ(timers({.back_off = std::numeric_limits<double>::quiet_NaN()}), "timers.back_off");
  EXPECT_EQ(timers({.back_off = 1}), "good");
  EXPECT_EQ(timers({.initial = seconds{5}, .maximum = seconds{4}}), "timers.maximum");
  EXPECT_EQ(timers({.initial = seconds{4}, .maximum = seconds{4}}), "good");
  EXPECT_EQ(timers({.total = Duration::zero()}), "timers.total");
}

// X25519MLKEM768 has no place in DTLS 1.2: alone it leaves 1.3.
TEST(Config, AGroupOfDtls13AloneLeavesDtls13) {
  ConfigOptions options = test::options();
  options.groups = {NamedGroup::x25519_mlkem768};
  EXPECT_EQ(test::must(Config::make(options))->options().min_version, ProtocolVersion::dtls13);
  options.max_version = ProtocolVersion::dtls12;
  EXPECT_EQ(outcome([&](auto& o) { o = options; }), "groups");
  options.groups.push_back(NamedGroup::x25519);
  EXPECT_EQ(outcome([&](auto& o) { o = options; }), "good");
}

// "As long as it takes" would overflow when it is added to the time.
TEST(Config, TimersAreOfThisWorld) {
  const auto timers = [](const RetransmissionTimers& values) {
    return outcome([&](auto& o) { o.timers = values; });
  };
  EXPECT_EQ(timers({.maximum = Duration::max()}), "timers.maximum");
  EXPECT_EQ(timers({.total = Duration::max()}), "timers.total");
  EXPECT_EQ(timers({.maximum = std::chrono::hours{24}, .total = std::chrono::hours{24}}), "good");
}

}  // namespace
}  // namespace sluice::dtls
