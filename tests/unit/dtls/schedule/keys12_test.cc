#include "schedule/keys12.h"

#include <gtest/gtest.h>

#include "support/endpoints.h"
#include "unit/dtls/schedule/reference_prf.h"

namespace sluice::dtls::schedule {
namespace {

using test::bytes_of;
using test::counted;
using test::must;
using test::reference_prf;
using test::to_hex;

crypto::Library& library() { return test::environment().library(); }

HelloRandoms randoms() {
  HelloRandoms both{};
  both.client.fill(std::byte{0xc1});
  both.server.fill(std::byte{0x5e});
  return both;
}
Buffer client_then_server() {
  const HelloRandoms both = randoms();
  Buffer bytes(both.client.begin(), both.client.end());
  bytes.insert(bytes.end(), both.server.begin(), both.server.end());
  return bytes;
}
Buffer server_then_client() {
  const HelloRandoms both = randoms();
  Buffer bytes(both.server.begin(), both.server.end());
  bytes.insert(bytes.end(), both.client.begin(), both.client.end());
  return bytes;
}
MasterSecret master() { return MasterSecret(Bytes(counted(48))); }

// RFC 5246 section 8.1.
TEST(MasterSecret, IsOfThePremasterAndBothRandoms) {
  for (const std::size_t size : {32U, 48U}) {
    const auto secret =
        must(master_secret(library(), HashAlgorithm::sha256, counted(size), randoms()));
    EXPECT_EQ(to_hex(secret.bytes()),
              reference_prf("SHA256", counted(size), "master secret", client_then_server(), 48));
  }
}

// RFC 7627 section 4.
TEST(MasterSecret, IsOfTheSessionHashWhenExtended) {
  const auto secret =
      must(extended_master_secret(library(), HashAlgorithm::sha384, counted(32), counted(48)));
  EXPECT_EQ(to_hex(secret.bytes()),
            reference_prf("SHA384", counted(32), "extended master secret", counted(48), 48));
}

// RFC 5246 section 6.3: the server's random first; keys, then IVs, the client's before the
// server's.
TEST(TrafficKeys12, AreCutFromTheKeyBlock) {
  auto suites = ConfigOptions::default_cipher_suites();
  suites.push_back(CipherSuite::psk_with_aes_128_cbc_sha256);
  for (const CipherSuite id : suites) {
    if (find12(id) == nullptr) continue;
    const CipherSuite12Parameters& suite = *find12(id);
    const auto keys = must(traffic_keys12(library(), suite, master(), randoms()));
    const auto [mac_key, key, iv] = key_sizes(suite);
    const std::string block =
        reference_prf(suite.hash == HashAlgorithm::sha384 ? "SHA384" : "SHA256", counted(48),
                      "key expansion", server_then_client(), 2 * (mac_key + key + iv));
    EXPECT_EQ(to_hex(keys.client.mac_key.bytes()) + to_hex(keys.server.mac_key.bytes()) +
                  to_hex(keys.client.key.bytes()) + to_hex(keys.server.key.bytes()) +
                  to_hex(keys.client.iv.bytes()) + to_hex(keys.server.iv.bytes()),
              block)
        << to_string(id);
    EXPECT_EQ(keys.client.key.size(), key);
    EXPECT_EQ(keys.server.iv.size(), iv);
  }
}

// RFC 5246 section 7.4.9.
TEST(VerifyData12, HasALabelForEachSide) {
  const Buffer hash = counted(32);
  const auto client =
      must(verify_data12(library(), HashAlgorithm::sha256, master(), Role::client, hash));
  const auto server =
      must(verify_data12(library(), HashAlgorithm::sha256, master(), Role::server, hash));
  EXPECT_EQ(to_hex(client), reference_prf("SHA256", counted(48), "client finished", hash, 12));
  EXPECT_EQ(to_hex(server), reference_prf("SHA256", counted(48), "server finished", hash, 12));
}

std::string exported(std::string_view label, std::optional<Bytes> context, std::size_t size = 60) {
  Buffer out(size);
  const auto done =
      export12(library(), HashAlgorithm::sha256, master(), randoms(), label, context, out);
  return done ? to_hex(out) : std::string(to_string(done.error().code));
}

// RFC 5705 section 4.
TEST(Exporter12, IsOfLabelRandomsAndContext) {
  EXPECT_EQ(exported("EXTRACTOR-dtls_srtp", std::nullopt),
            reference_prf("SHA256", counted(48), "EXTRACTOR-dtls_srtp", client_then_server(), 60));
  Buffer seed = client_then_server();
  const Buffer context = test::from_hex("0003 aabbcc");
  seed.insert(seed.end(), context.begin(), context.end());
  EXPECT_EQ(exported("EXPERIMENTAL x", test::from_hex("aabbcc")),
            reference_prf("SHA256", counted(48), "EXPERIMENTAL x", seed, 60));
}

// "no context" and "an empty context" are different: the latter has a length of zero in the seed.
TEST(Exporter12, TellsAnAbsentContextFromAnEmptyOne) {
  Buffer seed = client_then_server();
  seed.insert(seed.end(), 2, std::byte{0});
  const std::string empty = exported("label", Bytes());
  EXPECT_EQ(empty, reference_prf("SHA256", counted(48), "label", seed, 60));
  EXPECT_NE(empty, exported("label", std::nullopt));
}

TEST(Exporter12, RefusesWhatItMustNotDerive) {
  const std::string refused(to_string(Errc::invalid_argument));
  for (const auto* const label : {"client finished", "server finished", "master secret",
                                  "key expansion", "extended master secret"}) {
    EXPECT_EQ(exported(label, std::nullopt), refused) << label;
    EXPECT_EQ(exported(label, Bytes()), refused) << label;
  }
  // Only those: a label that begins like one is another.
  EXPECT_NE(exported("key expansion ", std::nullopt), refused);
  EXPECT_NE(exported("Key expansion", std::nullopt), refused);
}

TEST(Exporter12, AContextHasALengthOfTwoBytes) {
  const Buffer context(65536);
  EXPECT_EQ(exported("label", context), to_string(Errc::invalid_argument));
  const std::string longest = exported("label", Bytes(context).first(65535));
  EXPECT_EQ(longest.size(), 120U);
  EXPECT_NE(longest, exported("label", Bytes(context).first(65534)));
  // Its length is in the seed: were it cut to one byte, 256 would look like 0.
  Buffer seed = client_then_server();
  const Buffer length = test::from_hex("0100");
  seed.insert(seed.end(), length.begin(), length.end());
  seed.insert(seed.end(), 256, std::byte{0});
  EXPECT_EQ(exported("label", Bytes(context).first(256)),
            reference_prf("SHA256", counted(48), "label", seed, 60));
}

TEST(Exporter12, ARefusedOneWritesNothing) {
  Buffer out(16, std::byte{0x11});
  EXPECT_FALSE(export12(library(), HashAlgorithm::sha256, master(), randoms(), "master secret",
                        std::nullopt, out));
  EXPECT_EQ(to_hex(out), to_hex(Buffer(16, std::byte{0x11})));
}

}  // namespace
}  // namespace sluice::dtls::schedule
