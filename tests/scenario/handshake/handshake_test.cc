// Whole handshakes between two of our own connections.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "support/endpoints.h"

namespace sluice::test {
namespace {

using dtls::ProtocolVersion;

// Versions that the client and the server allow, and what they come to.
struct Versions {
  ProtocolVersion client_max;
  ProtocolVersion server_max;
  ProtocolVersion chosen;
};

dtls::ConfigPtr config_up_to(ProtocolVersion version) {
  dtls::ConfigOptions chosen = options();
  chosen.max_version = version;
  return make_config(chosen);
}

void expect_same_keys(const Peer& client, const Peer& server) {
  dtls::Buffer from_client(60);
  dtls::Buffer from_server(60);
  must(client.connection().export_keying_material(from_client, "EXPERIMENTAL test", std::nullopt));
  must(server.connection().export_keying_material(from_server, "EXPERIMENTAL test", std::nullopt));
  EXPECT_EQ(from_client, from_server);
  const auto client_keys = must(client.connection().srtp_keys());
  const auto server_keys = must(server.connection().srtp_keys());
  EXPECT_TRUE(std::ranges::equal(client_keys.local.bytes(), server_keys.remote.bytes()));
  EXPECT_TRUE(std::ranges::equal(client_keys.remote.bytes(), server_keys.local.bytes()));
}

class Handshake : public testing::TestWithParam<Versions> {};

TEST_P(Handshake, CompletesAndCarriesData) {
  const auto [client_max, server_max, chosen] = GetParam();
  Peer client = make_client(config_up_to(client_max));
  Peer server = make_server(config_up_to(server_max));
  exchange(client, server);
  ASSERT_FALSE(client.error) << to_string(*client.error);
  ASSERT_FALSE(server.error) << to_string(*server.error);
  ASSERT_TRUE(client.connected);
  ASSERT_TRUE(server.connected);
  EXPECT_EQ(client.connected->version, chosen);
  EXPECT_EQ(server.connected->version, chosen);
  EXPECT_EQ(client.connected->srtp_profile, dtls::SrtpProfile::aead_aes_256_gcm);
  expect_same_keys(client, server);

  const dtls::Buffer message(1000, std::byte{0x42});
  server.receive(client.seal(message), {});
  client.receive(server.seal(message), {});
  EXPECT_EQ(server.data, std::vector<dtls::Buffer>{message});
  EXPECT_EQ(client.data, std::vector<dtls::Buffer>{message});

  client.settle(client.connection().close({}), {});
  exchange(client, server);
  EXPECT_TRUE(server.closed);
}

INSTANTIATE_TEST_SUITE_P(
    Versions, Handshake,
    testing::Values(
        Versions{ProtocolVersion::dtls12, ProtocolVersion::dtls12, ProtocolVersion::dtls12},
        Versions{ProtocolVersion::dtls13, ProtocolVersion::dtls12, ProtocolVersion::dtls12},
        Versions{ProtocolVersion::dtls12, ProtocolVersion::dtls13, ProtocolVersion::dtls12},
        Versions{ProtocolVersion::dtls13, ProtocolVersion::dtls13, ProtocolVersion::dtls13}),
    [](const auto& chosen) {
      const auto name = [](ProtocolVersion version) {
        return std::string(version == ProtocolVersion::dtls12 ? "12" : "13");
      };
      return "Client" + name(chosen.param.client_max) + "Server" + name(chosen.param.server_max);
    });

// RFC 8446 section 4.1.4: the server asks for a share of a group that the client has, but sent none
// of.
TEST(Handshake13, AsksForAnotherGroup) {
  dtls::ConfigOptions for_server = options();
  for_server.max_version = ProtocolVersion::dtls13;
  for_server.groups = {dtls::NamedGroup::secp384r1};
  Peer client = make_client(config_up_to(ProtocolVersion::dtls13));
  Peer server = make_server(make_config(for_server));
  exchange(client, server);
  ASSERT_FALSE(client.error) << to_string(*client.error);
  ASSERT_TRUE(client.connected);
  ASSERT_TRUE(server.connected);
  EXPECT_EQ(client.connected->group, dtls::NamedGroup::secp384r1);
  expect_same_keys(client, server);
}

// RFC 9147 section 7.1: the client's last flight is acknowledged, so nothing is left to be
// repeated.
TEST(Handshake13, EndsWithAnAck) {
  const auto config = config_up_to(ProtocolVersion::dtls13);
  Peer client = make_client(config);
  Peer server = make_server(config);
  exchange(client, server);
  VirtualNetwork network({}, 1);
  network.run_until(client, server, dtls::Instant{std::chrono::seconds{60}});
  EXPECT_EQ(network.datagrams_sent(), 0U);
  EXPECT_EQ(client.connection().statistics().flights_retransmitted, 0U);
}

// RFC 8446 appendix B.4: each suite of DTLS 1.3, short records and long.
class Suites13 : public testing::TestWithParam<dtls::CipherSuite> {};

TEST_P(Suites13, CarryRecordsOfEachSize) {
  dtls::ConfigOptions chosen = options();
  chosen.min_version = ProtocolVersion::dtls13;
  chosen.cipher_suites = {GetParam()};
  chosen.max_forgeries_per_key = 1000;
  Peer client = make_client(make_config(chosen));
  Peer server = make_server(make_config(chosen));
  exchange(client, server);
  ASSERT_TRUE(client.connected && server.connected);
  EXPECT_EQ(client.connected->cipher_suite, GetParam());
  expect_same_keys(client, server);
  for (const std::size_t size : {0U, 1U, 6U, 7U, 8U, 15U, 16U, 1200U}) {
    const dtls::Buffer message(size, std::byte{0x42});
    const dtls::Buffer record = client.seal(message);
    // RFC 9147 section 4.2.3: what the record number's mask is made from is always there.
    EXPECT_GE(record.size(), 5U + 16U) << size;
    server.receive(record, {});
    ASSERT_EQ(server.data.size(), 1U) << size;
    EXPECT_EQ(server.data.front(), message) << size;
    server.data.clear();
  }
}

INSTANTIATE_TEST_SUITE_P(All, Suites13,
                         testing::Values(dtls::CipherSuite::aes_128_gcm_sha256,
                                         dtls::CipherSuite::aes_256_gcm_sha384,
                                         dtls::CipherSuite::chacha20_poly1305_sha256,
                                         dtls::CipherSuite::aes_128_ccm_sha256,
                                         dtls::CipherSuite::aes_128_ccm_8_sha256),
                         [](const auto& suite) { return std::string(to_string(suite.param)); });

// RFC 9147 section 4.5.3: without a limit on forgeries its tag is too short.
TEST(Ccm8, NeedsAForgeryLimit) {
  dtls::ConfigOptions chosen = options();
  chosen.cipher_suites = {dtls::CipherSuite::aes_128_ccm_8_sha256};
  const auto refused = dtls::Config::make(chosen);
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().detail.starts_with("max_forgeries_per_key"));
}

}  // namespace
}  // namespace sluice::test
