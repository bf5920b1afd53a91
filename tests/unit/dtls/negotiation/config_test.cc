#include <gtest/gtest.h>

#include <sluice/dtls/config.h>
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
