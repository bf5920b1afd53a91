// One RandomSource is all the chance there is.
#include <thread>

#include "crypto/certificate_key.h"
#include "crypto/credentials.h"
#include "crypto/key_exchange.h"
#include "unit/dtls/crypto/certificates.h"
#include "unit/dtls/crypto/crypto_test.h"

namespace sluice::dtls {
namespace {

using test::must;
using test::Peer;
using test::to_hex;

constexpr Instant kStart{};

// Runs in the thread that calls it, as an Environment is for one.
std::vector<std::string> record_handshake(std::uint64_t seed, NamedGroup group,
                                          const Identity& identity) {
  test::SeededRandom client_random(seed);
  test::SeededRandom server_random(seed + 1);
  auto client_environment = must(Environment::make({.random = &client_random}));
  auto server_environment = must(Environment::make({.random = &server_random}));
  ConfigOptions options;
  options.identities = {identity};
  // The first is used; a certificate's curve must be in the list as well (RFC 8422 section 5.1).
  options.groups = {group, NamedGroup::secp256r1};
  const ConfigPtr config = must(Config::make(options));
  Peer client(must(Connection::client(config, client_environment, PathId{1}, kStart)));
  Peer server(must(Connection::server(config, server_environment, PathId{1}, kStart)));
  std::vector<std::string> sent;
  for (bool moved = true; moved;) {
    moved = false;
    for (auto* from : {&client, &server}) {
      for (auto& datagram : from->take_datagrams()) {
        sent.push_back(to_hex(datagram));
        (from == &client ? server : client).receive(std::move(datagram), kStart);
        moved = true;
      }
    }
  }
  EXPECT_TRUE(client.connected && server.connected);
  sent.push_back(to_hex(client.seal(test::bytes_of("data"))));
  return sent;
}

class InjectedRandom : public test::CryptoTest, public testing::WithParamInterface<NamedGroup> {};

// Hello randoms, ephemeral keys and ECDSA nonces of both sides included.
TEST_P(InjectedRandom, TheSameSeedsGiveTheSameHandshake) {
  const Identity& identity = test::ecdsa_identity();
  const auto first = record_handshake(7, GetParam(), identity);
  EXPECT_GE(first.size(), 5U);
  EXPECT_EQ(record_handshake(7, GetParam(), identity), first);
  EXPECT_NE(record_handshake(8, GetParam(), identity), first);
  std::vector<std::string> elsewhere;
  std::thread([&] { elsewhere = record_handshake(7, GetParam(), identity); }).join();
  EXPECT_EQ(elsewhere, first) << "in another thread";
}

// RSA-PSS salts are random as well.
TEST_P(InjectedRandom, TheSameSeedsGiveTheSameHandshakeWithRsa) {
  const Identity& identity = test::rsa_identity();
  const auto first = record_handshake(9, GetParam(), identity);
  EXPECT_EQ(record_handshake(9, GetParam(), identity), first);
}

INSTANTIATE_TEST_SUITE_P(Groups, InjectedRandom,
                         testing::Values(NamedGroup::x25519, NamedGroup::secp256r1,
                                         NamedGroup::secp384r1),
                         [](const auto& param_info) {
                           return std::string(to_string(param_info.param));
                         });

using InjectedRandomTest = test::CryptoTest;

std::string self_signed_key(std::uint64_t seed) {
  test::SeededRandom random(seed);
  auto environment = must(Environment::make({.random = &random}));
  const Identity identity = must(Identity::self_signed(environment));
  return to_hex(crypto::subject_public_key_info(identity.certificate()).value());
}

TEST_F(InjectedRandomTest, TheSameSeedGivesTheSameSelfSignedKey) {
  const std::string first = self_signed_key(1);
  EXPECT_EQ(self_signed_key(1), first);
  EXPECT_NE(self_signed_key(2), first);
  std::string elsewhere;
  std::thread([&] { elsewhere = self_signed_key(1); }).join();
  EXPECT_EQ(elsewhere, first);
}

// RFC 7748 section 6.1, by way of the source that makes the private keys.
TEST_F(InjectedRandomTest, KeysAreMadeOfTheSourcesBytes) {
  class Alice : public RandomSource {
   public:
    void fill(MutableBytes out) override {
      static const Buffer kKey =
          test::from_hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
      for (std::size_t i = 0; i < out.size(); ++i) out[i] = kKey[i % kKey.size()];
    }
  } alice;
  auto environment = must(Environment::make({.random = &alice}));
  const auto key = must(crypto::EphemeralKey::generate(environment.library(), NamedGroup::x25519));
  EXPECT_EQ(to_hex(must(key.share()).bytes()),
            "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
  const Buffer bob =
      test::from_hex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
  EXPECT_EQ(to_hex(must(key.derive(environment.library(), bob)).bytes()),
            "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
}

TEST_F(InjectedRandomTest, EnvironmentsDoNotShareTheirSources) {
  test::SeededRandom one(1);
  test::SeededRandom two(2);
  auto first = must(Environment::make({.random = &one}));
  auto second = must(Environment::make({.random = &two}));
  auto plain = must(Environment::make());
  std::array<std::byte, 32> bytes{};
  std::array<std::byte, 32> expected{};
  for (const std::uint64_t seed : {1U, 2U}) {
    test::SeededRandom(seed).fill(expected);
    // What making the Environment took does not count here: a source of its own starts anew.
    test::SeededRandom fresh(seed);
    auto environment = must(Environment::make({.random = &fresh}));
    must(environment.library().random(bytes));
    EXPECT_EQ(to_hex(bytes), to_hex(expected));
  }
  must(first.library().random(bytes));
  test::SeededRandom(1).fill(expected);
  EXPECT_EQ(to_hex(bytes), to_hex(expected));
  must(plain.library().random(bytes));
  EXPECT_NE(to_hex(bytes), to_hex(expected));
  must(second.library().random(bytes));
  EXPECT_NE(to_hex(bytes), to_hex(expected));
}

TEST_F(InjectedRandomTest, LargeRequestsAreFilledWhole) {
  test::SeededRandom random(3);
  auto environment = must(Environment::make({.random = &random}));
  Buffer bytes(200'000);
  must(environment.library().random(bytes));
  Buffer expected(bytes.size());
  test::SeededRandom(3).fill(expected);
  EXPECT_TRUE(bytes == expected);
}

TEST_F(InjectedRandomTest, AMovedEnvironmentKeepsItsSource) {
  test::SeededRandom random(1);
  auto environment = must(Environment::make({.random = &random}));
  Environment moved = std::move(environment);
  std::array<std::byte, 32> bytes{};
  std::array<std::byte, 32> expected{};
  must(moved.library().random(bytes));
  test::SeededRandom(1).fill(expected);
  EXPECT_EQ(to_hex(bytes), to_hex(expected));
}

}  // namespace
}  // namespace sluice::dtls
