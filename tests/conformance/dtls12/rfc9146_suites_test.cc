// Connection IDs with each kind of cipher suite of DTLS 1.2, and records of the type tls12_cid
// where there are none (RFC 9146 sections 3 to 5).
#include "conformance/dtls12/vocabulary.h"
#include "support/connections.h"

namespace sluice::test {
namespace {

class Rfc9146Section5 : public testing::TestWithParam<CipherSuite> {};

TEST_P(Rfc9146Section5, RecordsCarryTheId) {
  dtls::ConfigOptions chosen = options_for(ProtocolVersion::dtls12);
  const std::string name(to_string(GetParam()));
  chosen.cipher_suites = {GetParam()};
  if (name.find("PSK") != std::string::npos) {
    chosen.pre_shared_keys = {must(
        dtls::PreSharedKey::make(bytes_of("device"), counted(32), dtls::HashAlgorithm::sha256))};
  }
  if (name.find("RSA") != std::string::npos) chosen.identities = {rsa_identity()};
  chosen.connection_id_size = 8;
  Pair pair(chosen);
  pair.run();
  ASSERT_TRUE(works(pair)) << name;
  EXPECT_EQ(pair.client.connected->cipher_suite, GetParam());
  EXPECT_EQ(pair.client.connected->own_connection_id, pair.server.connected->peer_connection_id);
  EXPECT_EQ(pair.client.seal(bytes_of("data")).front(), std::byte{25});
  // Anything between an empty record and the largest.
  for (const std::size_t size : {0U, 1U, 15U, 16U, 17U, 1000U, 16383U}) {
    pair.server.receive(pair.client.seal(counted(size)), {});
    EXPECT_EQ(pair.server.data.back(), counted(size));
  }
  Buffer damaged = pair.client.seal(bytes_of("data"));
  damaged.back() ^= std::byte{1};
  const std::size_t before = pair.server.data.size();
  pair.server.receive(damaged, {});
  EXPECT_EQ(pair.server.data.size(), before);
  EXPECT_EQ(discards(pair.server, Discard::authentication_failed), 1U);
}

INSTANTIATE_TEST_SUITE_P(Suites, Rfc9146Section5,
                         testing::Values(CipherSuite::ecdhe_ecdsa_with_aes_128_gcm_sha256,
                                         CipherSuite::ecdhe_rsa_with_chacha20_poly1305_sha256,
                                         CipherSuite::psk_with_aes_128_ccm_8,
                                         CipherSuite::psk_with_aes_256_gcm_sha384,
                                         CipherSuite::psk_with_aes_128_cbc_sha256,
                                         CipherSuite::ecdhe_psk_with_aes_128_cbc_sha256),
                         [](const auto& suite) { return std::string(to_string(suite.param)); });

// Section 3, RFC 9147 section 9: it has an ID that nobody has asked for.
TEST(Rfc9146_4, ARecordOfItsTypeIsDiscardedWithoutIds) {
  for (const Role role : kRoles) {
    Duel duel(role);
    duel.run();
    constexpr ContentType kTls12Cid{25};
    duel.deliver(OutgoingRecord{kTls12Cid, kFirstEncryptedEpoch12, from_hex("00")});
    EXPECT_EQ(discards(duel, Discard::wrong_connection_id), 1U);
    EXPECT_TRUE(works(duel));
  }
}

}  // namespace
}  // namespace sluice::test
