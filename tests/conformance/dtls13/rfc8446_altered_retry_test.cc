// Checks of a HelloRetryRequest and of what follows it, one change at a time (RFC 8446 section
// 4.1.4).
#include "conformance/dtls13/altered_handshake.h"
#include "message/client_hello.h"
#include "message/pre_shared_key.h"

namespace sluice::test {
namespace {

using dtls::NamedGroup;
using dtls::wire::ExtensionType;

// A ServerHello's body: version, random, an empty session ID, suite, compression, extensions.
constexpr std::size_t kSuite = 35;
constexpr std::size_t kExtensions = 38;

// The server asks for a group of which the client has sent no share.
Pair pair_with_retry(const dtls::ConfigOptions& client = options13()) {
  dtls::ConfigOptions server = client;
  server.groups = {NamedGroup::secp384r1};
  server.mtu = 8192;
  dtls::ConfigOptions sender = client;
  sender.groups = {NamedGroup::x25519, NamedGroup::secp384r1};
  sender.mtu = 8192;
  return {sender, server};
}

// What a client says when the first or second ServerHello arrives changed; the first is the
// HelloRetryRequest.
testing::AssertionResult refuses_altered_hello(int which, const Change& change, Errc code,
                                               Alert alert,
                                               const dtls::ConfigOptions& options = options13()) {
  Pair pair = pair_with_retry(options);
  int hellos = 0;
  AlteredHandshake(pair, Role::server, HandshakeType::server_hello, [&](Buffer& body) {
    if (++hellos == which) change(body);
  }).run();
  if (hellos < which) return testing::AssertionFailure() << hellos << " hellos";
  return failed(pair.client, code, alert);
}

// Where the data of the request's key_share, the last extension, is.
std::size_t group_at(const Buffer& body) { return body.size() - 2; }

TEST(Rfc8446_AlteredRetry, NothingChangedConnects) {
  Pair pair = pair_with_retry();
  EXPECT_EQ(AlteredHandshake(pair, Role::server, HandshakeType::server_hello, [](Buffer&) {}).run(),
            2U);
  EXPECT_TRUE(works(pair));
}

TEST(Rfc8446_4_1_4, ARequestForAGroupThatHasAShareIsFatal) {
  EXPECT_TRUE(refuses_altered_hello(
      1, [](Buffer& body) { body.at(group_at(body) + 1) = std::byte{29}; }, Errc::illegal_parameter,
      Alert::illegal_parameter));
}

TEST(Rfc8446_4_1_4, ARequestForAGroupThatWasNotOfferedIsFatal) {
  EXPECT_TRUE(refuses_altered_hello(
      1, [](Buffer& body) { body.at(group_at(body) + 1) = std::byte{23}; }, Errc::illegal_parameter,
      Alert::illegal_parameter));
}

TEST(Rfc8446_4_1_4, ARequestThatChangesNothingIsFatal) {
  EXPECT_TRUE(refuses_altered_hello(
      1,
      [](Buffer& body) {
        body.resize(body.size() - 6);
        body.at(kExtensions + 1) = static_cast<std::byte>(body.size() - kExtensions - 2);
      },
      Errc::illegal_parameter, Alert::illegal_parameter));
}

TEST(Rfc8446_4_1_4, ASecondRequestIsFatal) {
  Buffer request;
  Pair pair = pair_with_retry();
  AlteredHandshake(pair, Role::server, HandshakeType::server_hello, [&](Buffer& body) {
    if (request.empty()) {
      request = body;
    } else {
      body = request;
    }
  }).run();
  EXPECT_TRUE(failed(pair.client, Errc::unexpected_message, Alert::unexpected_message));
}

TEST(Rfc8446_4_1_4, AServerHelloOfAnotherSuiteIsFatal) {
  EXPECT_TRUE(refuses_altered_hello(
      2, [](Buffer& body) { body.at(kSuite + 1) ^= std::byte{3}; }, Errc::illegal_parameter,
      Alert::illegal_parameter));
}

// To DTLS 1.2, which the client offers, too.
TEST(Rfc8446_4_1_4, AServerHelloOfAnotherVersionIsFatal) {
  EXPECT_TRUE(refuses_altered_hello(
      2,
      [](Buffer& body) {
        body.resize(kExtensions);
        body.at(kSuite) = std::byte{0xc0};
        body.at(kSuite + 1) = std::byte{0x2b};
      },
      Errc::illegal_parameter, Alert::illegal_parameter, options()));
}

TEST(Rfc9147_5_1, AHelloVerifyRequestAfterARequestIsFatal) {
  Pair pair = pair_with_retry(options());
  pair.flight(pair.client);
  pair.flight(pair.server);
  ASSERT_FALSE(pair.client.take_datagrams().empty());
  pair.client.receive(
      plaintext_record(ContentType::handshake,
                       message_of(HandshakeType::hello_verify_request, 1, from_hex("feff 01 07"))),
      {});
  EXPECT_TRUE(failed(pair.client, Errc::unexpected_message, Alert::unexpected_message));
}

TEST(Rfc8446_4_1_4, OnlyPsksOfTheSuitesHashRemain) {
  using dtls::HashAlgorithm;
  const auto psk = [](std::string_view identity, HashAlgorithm hash) {
    return must(dtls::PreSharedKey::make(bytes_of(identity), Buffer(32, std::byte{1}), hash));
  };
  dtls::ConfigOptions options = options13();
  options.pre_shared_keys = {psk("a", HashAlgorithm::sha384), psk("b", HashAlgorithm::sha256)};
  options.cipher_suites = {dtls::CipherSuite::aes_128_gcm_sha256,
                           dtls::CipherSuite::aes_256_gcm_sha384};
  Pair pair = pair_with_retry(options);
  std::vector<std::size_t> offered;
  AlteredHandshake(pair, Role::client, HandshakeType::client_hello, [&](Buffer& body) {
    const auto hello = dtls::message::ClientHello::decode(body).value();
    const auto data = hello.extensions.find(ExtensionType::pre_shared_key).value();
    offered.push_back(dtls::message::OfferedPsks::decode(data).value().identities.size());
  }).run();
  EXPECT_EQ(offered, (std::vector<std::size_t>{2, 1}));
  EXPECT_TRUE(works(pair));
}

}  // namespace
}  // namespace sluice::test
