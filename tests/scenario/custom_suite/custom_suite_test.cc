// A cipher suite that a caller brings along: the AES-128-OCB of docs/examples.
#include "examples/ocb_suite.h"

#include <gtest/gtest.h>

#include "support/connections.h"
#include "support/record_access.h"

namespace sluice::test {
namespace {

using dtls::Buffer;
using dtls::CipherSuite;
using dtls::CipherSuite12;
using dtls::KeyExchange12;
using dtls::RecordProtection12;

constexpr CipherSuite kId = OcbSuite::kId;

class CustomSuite : public testing::TestWithParam<KeyExchange12> {
 protected:
  static dtls::PreSharedKey key() {
    return must(dtls::PreSharedKey::make(bytes_of("us"), Buffer(16, std::byte{1})));
  }
  static dtls::ConfigOptions options() {
    dtls::ConfigOptions chosen = options_for(dtls::ProtocolVersion::dtls12);
    chosen.cipher_suites = {kId};
    chosen.custom_cipher_suites = {std::make_shared<OcbSuite>(GetParam())};
    if (GetParam() == KeyExchange12::ecdhe_rsa) chosen.identities = {rsa_identity()};
    if (uses_psk(GetParam())) chosen.pre_shared_keys = {key()};
    return chosen;
  }
};

TEST_P(CustomSuite, ProtectsACall) {
  Pair pair = connected_pair(options());
  EXPECT_EQ(pair.client.connected->cipher_suite, kId);
  EXPECT_EQ(pair.server.connected->cipher_suite, kId);
  EXPECT_EQ(pair.client.connected->psk, uses_psk(GetParam()));
  EXPECT_TRUE(works(pair));
  // Replays and forgeries are the engine's care.
  const Buffer record = pair.client.seal(bytes_of("once"));
  Buffer forged = record;
  forged.back() ^= std::byte{1};
  pair.server.receive(forged, {});
  pair.server.receive(record, {});
  pair.server.receive(record, {});
  EXPECT_EQ(discards(pair.server, dtls::Discard::authentication_failed), 1U);
  EXPECT_EQ(discards(pair.server, dtls::Discard::replayed), 1U);
  EXPECT_EQ(pair.server.data.size(), 2U);
}

TEST_P(CustomSuite, IsNotThereForAPeerThatHasntIt) {
  dtls::ConfigOptions both = options();
  both.cipher_suites.push_back(CipherSuite::psk_with_aes_128_ccm_8);
  both.pre_shared_keys = {key()};
  dtls::ConfigOptions usual = both;
  usual.custom_cipher_suites.clear();
  usual.cipher_suites = {CipherSuite::psk_with_aes_128_ccm_8};
  usual.pre_shared_keys = {key()};
  Pair pair(both);
  pair.server = make_server(make_config(usual));
  pair.run();
  ASSERT_TRUE(works(pair));
  EXPECT_EQ(pair.client.connected->cipher_suite, CipherSuite::psk_with_aes_128_ccm_8);
}

TEST_P(CustomSuite, ItsSessionsAreResumed) {
  dtls::ConfigOptions resuming = options();
  resuming.resumption = dtls::Resumption::tickets;
  resuming.ticket_keys = std::make_shared<dtls::TicketKeys>();
  const Pair first = connected_pair(resuming);
  ASSERT_EQ(first.client.sessions.size(), 1U);
  const auto meet = [&](const dtls::ConfigOptions& chosen) {
    Pair pair(chosen);
    pair.client = make_client(make_config(chosen), {}, first.client.sessions.at(0));
    pair.run();
    EXPECT_TRUE(works(pair));
    return pair.client.connected->resumed;
  };
  EXPECT_TRUE(meet(resuming));
  // Not without the suite.
  resuming.custom_cipher_suites.clear();
  resuming.cipher_suites = {CipherSuite::psk_with_aes_128_ccm_8};
  resuming.pre_shared_keys = {key()};
  EXPECT_FALSE(meet(resuming));
}

// Its ciphers go when others are in use, and are made again from the same keys.
TEST_P(CustomSuite, ItsConnectionsGoColdAndComeBack) {
  auto environment = must(dtls::Environment::make({.max_warm_connections = 1}));
  const auto config = make_config(options());
  const auto connect = [&] {
    Pair pair;
    pair.client = Peer(must(dtls::Connection::client(config, environment, kPath, {})));
    pair.server = Peer(must(dtls::Connection::server(config, environment, kPath, {})));
    pair.run();
    return pair;
  };
  std::array<Pair, 3> pairs{connect(), connect(), connect()};
  const auto is_cold = [](Peer& peer) { return records_of(peer.connection()).is_cold(); };
  for (int round = 0; round < 3; ++round) {
    for (Pair& pair : pairs) EXPECT_TRUE(works(pair));
    EXPECT_TRUE(is_cold(pairs[0].client) && is_cold(pairs[0].server));
  }
  // The replay window and the numbers outlive the ciphers.
  const Buffer record = pairs[0].client.seal(bytes_of("once"));
  const Buffer next = pairs[0].client.seal(bytes_of("once"));
  EXPECT_NE(record, next);
  pairs[0].server.receive(record, {});
  EXPECT_TRUE(works(pairs[1]));
  ASSERT_TRUE(is_cold(pairs[0].server));
  pairs[0].server.receive(record, {});
  EXPECT_EQ(discards(pairs[0].server, dtls::Discard::replayed), 1U);
  pairs[0].server.receive(next, {});
  EXPECT_EQ(pairs[0].server.data.size(), 5U);
}

INSTANTIATE_TEST_SUITE_P(KeyExchanges, CustomSuite,
                         testing::Values(KeyExchange12::ecdhe_ecdsa, KeyExchange12::ecdhe_rsa,
                                         KeyExchange12::psk, KeyExchange12::ecdhe_psk));

// Its number must be of private use, and its sizes within bounds.
TEST(CustomSuiteConfig, IsChecked) {
  class Wrong final : public CipherSuite12 {
   public:
    [[nodiscard]] CipherSuite id() const override { return CipherSuite{0xc0ff}; }
    [[nodiscard]] std::string_view name() const override { return ""; }
    [[nodiscard]] KeyExchange12 key_exchange() const override { return KeyExchange12::psk; }
    [[nodiscard]] dtls::HashAlgorithm hash() const override { return dtls::HashAlgorithm::sha256; }
    [[nodiscard]] dtls::KeySizes12 key_sizes() const override { return {}; }
    [[nodiscard]] dtls::RecordRoom12 room() const override { return {}; }
    [[nodiscard]] std::unique_ptr<RecordProtection12> protect(
        const dtls::RecordKeys12&) const override {
      return nullptr;
    }
  };
  dtls::ConfigOptions chosen = options();
  chosen.custom_cipher_suites = {std::make_shared<Wrong>()};
  const auto refused = dtls::Config::make(chosen);
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().detail.starts_with("custom_cipher_suites"));
}

}  // namespace
}  // namespace sluice::test
