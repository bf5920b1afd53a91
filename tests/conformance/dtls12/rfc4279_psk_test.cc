// Pre-shared keys in DTLS 1.2 (RFC 4279; with ECDHE RFC 5489).
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "conformance/dtls12/vocabulary.h"
#include "support/connections.h"
#include "support/middlebox.h"
#include "support/plaintext.h"

namespace sluice::test {
namespace {

using dtls::PreSharedKey;
using dtls::record::Header12;
using dtls::record::kHeaderSize12;

constexpr CipherSuite kPlain = CipherSuite::psk_with_aes_128_ccm_8;
constexpr CipherSuite kWithEcdhe = CipherSuite::ecdhe_psk_with_aes_128_gcm_sha256;
constexpr CipherSuite kAll[] = {CipherSuite::psk_with_aes_128_gcm_sha256,
                                CipherSuite::psk_with_aes_256_gcm_sha384,
                                CipherSuite::psk_with_aes_128_ccm,
                                CipherSuite::psk_with_aes_256_ccm,
                                kPlain,
                                CipherSuite::psk_with_aes_256_ccm_8,
                                CipherSuite::psk_with_chacha20_poly1305_sha256,
                                CipherSuite::ecdhe_psk_with_chacha20_poly1305_sha256,
                                kWithEcdhe,
                                CipherSuite::ecdhe_psk_with_aes_256_gcm_sha384,
                                CipherSuite::ecdhe_psk_with_aes_128_ccm_8_sha256,
                                CipherSuite::ecdhe_psk_with_aes_128_ccm_sha256,
                                CipherSuite::psk_with_aes_128_cbc_sha256,
                                CipherSuite::ecdhe_psk_with_aes_128_cbc_sha256};

PreSharedKey psk(std::string_view identity, unsigned seed = 1, std::size_t size = 16) {
  return must(PreSharedKey::make(bytes_of(identity), Buffer(size, std::byte(seed))));
}

// Without a certificate.
dtls::ConfigOptions psk_options(std::vector<PreSharedKey> keys, CipherSuite suite = kPlain) {
  dtls::ConfigOptions options = options_for(ProtocolVersion::dtls12);
  options.identities.clear();
  options.cipher_suites = {suite};
  options.pre_shared_keys = std::move(keys);
  return options;
}

dtls::ConfigOptions asking_options(CipherSuite suite = kPlain) {
  dtls::ConfigOptions options = psk_options({}, suite);
  options.ask_for_psk = true;
  return options;
}

Pair pair_of(const dtls::ConfigOptions& client, const dtls::ConfigOptions& server) {
  Pair pair(options_for(ProtocolVersion::dtls12));
  pair.client = make_client(make_config(client));
  pair.server = make_server(make_config(server));
  return pair;
}

Pair pair_of(const PreSharedKey& clients, const PreSharedKey& servers, CipherSuite suite) {
  return pair_of(psk_options({clients}, suite), psk_options({servers}, suite));
}

testing::AssertionResult both_used_the_psk(Pair& pair) {
  if (auto worked = works(pair); !worked) return worked;
  for (const Peer* peer : {&pair.client, &pair.server}) {
    if (!peer->connected->psk) return testing::AssertionFailure() << "not by a PSK";
    if (peer->question || !peer->peer_chain.empty()) {
      return testing::AssertionFailure() << "somebody showed a certificate";
    }
  }
  return testing::AssertionSuccess();
}

// A whole message on its way in plaintext.
struct AlterableMessage {
  HandshakeType type{};
  Buffer body;
};
using Change = std::function<void(AlterableMessage&)>;

// The datagram, of one plaintext message a record, with each message changed.
Buffer changed(Bytes datagram, const Change& change) {
  Buffer out;
  while (const auto header = Header12::decode(datagram)) {
    const Bytes record = datagram.first(kHeaderSize12 + header->length);
    datagram = datagram.subspan(record.size());
    Buffer now(record.begin(), record.end());
    if (header->type == ContentType::handshake && header->epoch == dtls::wire::kPlaintextEpoch) {
      const Bytes contents = record.subspan(kHeaderSize12);
      dtls::wire::Reader reader(contents);
      const auto fragment = dtls::message::HandshakeFragment::take(reader);
      AlterableMessage message{fragment->header.type,
                               Buffer(fragment->body.begin(), fragment->body.end())};
      change(message);
      now = plaintext_record(
          ContentType::handshake,
          message_of(message.type, dtls::wire::value_of(fragment->header.message_seq),
                     message.body),
          dtls::wire::value_of(header->sequence));
    }
    out.insert(out.end(), now.begin(), now.end());
  }
  return out;
}

void run_changed(Pair& pair, const Change& change) {
  exchange_through(
      [&](Role, const Buffer& datagram) { return std::vector<Buffer>{changed(datagram, change)}; },
      pair.client, pair.server);
}

// The body of each message of the type.
void run_changed(Pair& pair, HandshakeType type, const std::function<void(Buffer&)>& change) {
  run_changed(pair, [&](AlterableMessage& message) {
    if (message.type == type) change(message.body);
  });
}

class Rfc4279Section2 : public testing::TestWithParam<CipherSuite> {};

TEST_P(Rfc4279Section2, BothSidesProveThemselvesByTheKey) {
  Pair pair = pair_of(psk("sensor"), psk("sensor"), GetParam());
  pair.run();
  EXPECT_TRUE(both_used_the_psk(pair));
  EXPECT_EQ(pair.client.connected->cipher_suite, GetParam());
}

// Section 5.3: identities up to 128 bytes, keys up to 64 and more kinds of either.
TEST_P(Rfc4279Section2, LongAndShortOnesServe) {
  for (const std::size_t size : {std::size_t{1}, std::size_t{64}}) {
    const auto key = psk(std::string(128 * size, 'i'), 9, size);
    Pair pair = pair_of(key, key, GetParam());
    pair.run();
    EXPECT_TRUE(both_used_the_psk(pair)) << size;
  }
}

// Section 2: "it MAY continue the protocol as if the PSK identity existed but the key was
// incorrect": to whoever asks, the two look the same.
TEST_P(Rfc4279Section2, TheIdentityChoosesAmongTheServersKeys) {
  const auto keys = {psk("other", 2), psk("sensor", 1), psk("third", 3)};
  Pair pair = pair_of(psk_options({psk("sensor", 1)}, GetParam()), psk_options(keys, GetParam()));
  pair.run();
  EXPECT_TRUE(works(pair));
}

// What stands in for the key of an unknown identity cannot be guessed.
TEST_P(Rfc4279Section2, AnUnknownIdentityHasNoKeyOfZeros) {
  const auto zeros = must(PreSharedKey::make(bytes_of("nobody"), Buffer(32, std::byte{0})));
  Pair pair = pair_of(zeros, psk("sensor"), GetParam());
  pair.run();
  EXPECT_FALSE(pair.client.connected || pair.server.connected);
}

TEST_P(Rfc4279Section2, UnknownLooksLikeWrong) {
  std::vector<std::size_t> sizes[2];
  for (const bool is_known : {false, true}) {
    Pair pair = pair_of(psk(is_known ? "known" : "other", 1), psk("known", 2), GetParam());
    exchange_through(
        [&](Role sender, Buffer datagram) {
          if (sender == Role::server) sizes[is_known ? 1 : 0].push_back(datagram.size());
          return std::vector<Buffer>{std::move(datagram)};
        },
        pair.client, pair.server);
    EXPECT_FALSE(pair.client.connected || pair.server.connected);
    EXPECT_FALSE(pair.client.error || pair.server.error);
    EXPECT_EQ(discards(pair.server, Discard::authentication_failed), 1U);
  }
  EXPECT_EQ(sizes[0], sizes[1]);
}

// No alert tells it, but both sides see what they miss.
TEST_P(Rfc4279Section2, AWrongKeyIsTheReasonGivenWhenTimeIsUp) {
  Pair pair = pair_of(psk("sensor", 1), psk("sensor", 2), GetParam());
  VirtualNetwork network({}, 4279);
  network.run_until(pair.client, pair.server, dtls::Instant{300s});
  for (const Peer* peer : {&pair.client, &pair.server}) {
    ASSERT_TRUE(peer->error);
    EXPECT_EQ(peer->error->code, Errc::handshake_timeout);
    EXPECT_NE(peer->error->detail.view().find("the keys may differ"), std::string_view::npos)
        << to_string(*peer->error);
  }
  EXPECT_NE(pair.server.error->detail.view().find("could not be decrypted"),
            std::string_view::npos);
}

TEST_P(Rfc4279Section2, NobodyCouldSayWhatTheIdentityMeans) {
  Pair pair = pair_of(psk_options({psk("sensor")}, GetParam()), asking_options(GetParam()));
  pair.run();
  ASSERT_TRUE(pair.server.psk_request);
  EXPECT_FALSE(pair.server.error);
  answer_psk(pair.server, dtls::NoPsk{});
  pair.run();
  EXPECT_FALSE(pair.client.connected || pair.server.connected || pair.server.error);
  EXPECT_EQ(discards(pair.server, Discard::authentication_failed), 1U);
}

// The client's Finished has come long before the answer.
TEST_P(Rfc4279Section2, TheAnswerMayComeLate) {
  Pair pair = pair_of(psk_options({psk("sensor")}, GetParam()), asking_options(GetParam()));
  pair.run();
  ASSERT_TRUE(pair.server.psk_request);
  EXPECT_TRUE(std::ranges::equal(pair.server.psk_request->identities.at(0), bytes_of("sensor")));
  const dtls::Instant later{std::chrono::milliseconds{700}};
  answer_psk(pair.server, dtls::UsePsk{0, psk("sensor")}, later);
  pair.run(later);
  EXPECT_TRUE(both_used_the_psk(pair));
}

TEST_P(Rfc4279Section2, AClientWithoutAKeyEndsIt) {
  Pair pair = pair_of(asking_options(GetParam()), psk_options({psk("sensor")}, GetParam()));
  pair.run();
  ASSERT_TRUE(pair.client.psk_request);
  answer_psk(pair.client, dtls::NoPsk{});
  EXPECT_TRUE(failed(pair.client, Errc::psk_mismatch, Alert::handshake_failure, pair.server));
}

INSTANTIATE_TEST_SUITE_P(Suites, Rfc4279Section2, testing::ValuesIn(kAll),
                         [](const auto& suite) { return std::string(to_string(suite.param)); });

TEST(Rfc5489_2, WithoutACommonGroupASuiteWithoutEcdheIsChosen) {
  dtls::ConfigOptions client = psk_options({psk("device")});
  client.cipher_suites = {kWithEcdhe, kPlain};
  dtls::ConfigOptions server = client;
  client.groups = {dtls::NamedGroup::x25519};
  server.groups = {dtls::NamedGroup::secp256r1};
  Pair pair = pair_of(client, server);
  pair.run();
  EXPECT_TRUE(works(pair));
  EXPECT_EQ(pair.client.connected->cipher_suite, kPlain);
}

// An identity is chosen for the suites that need one.
TEST(Rfc4279_2, ASuiteWithoutCertificateDecidesNoIdentity) {
  dtls::ConfigOptions options = psk_options({psk("device")});
  options.identities = {ecdsa_identity(), rsa_identity()};
  constexpr CipherSuite kRsa = CipherSuite::ecdhe_rsa_with_aes_128_gcm_sha256;
  options.cipher_suites = {kRsa, kPlain};
  Pair pair = pair_of(options, options);
  pair.run();
  EXPECT_TRUE(works(pair));
  EXPECT_EQ(pair.client.connected->cipher_suite, kRsa);
}

// Section 2: the hint, which a server without one leaves out.
TEST(Rfc4279_2_Hint, IsLeftOutWithoutOne) {
  for (const bool with_hint : {false, true}) {
    dtls::ConfigOptions server = psk_options({psk("sensor")});
    if (with_hint) server.psk_identity_hint = Buffer(5, std::byte{'h'});
    Pair pair = pair_of(asking_options(), server);
    unsigned exchanges = 0;
    run_changed(pair, [&](AlterableMessage& message) {
      if (message.type == HandshakeType::server_key_exchange) ++exchanges;
    });
    EXPECT_EQ(exchanges, with_hint ? 1U : 0U);
    ASSERT_TRUE(pair.client.psk_request);
    EXPECT_EQ(pair.client.psk_request->hint, server.psk_identity_hint);
  }
}

// Section 2: no Certificate, no CertificateRequest.
TEST(Rfc4279_2_Messages, NoneAboutCertificatesIsTaken) {
  for (const HandshakeType type :
       {HandshakeType::certificate, HandshakeType::certificate_request}) {
    for (const CipherSuite suite : {kPlain, kWithEcdhe}) {
      Pair pair = pair_of(psk("sensor"), psk("sensor"), suite);
      const HandshakeType first =
          suite == kPlain ? HandshakeType::server_hello_done : HandshakeType::server_key_exchange;
      run_changed(pair, [&](AlterableMessage& message) {
        if (message.type == first) message.type = type;
      });
      ASSERT_TRUE(pair.client.error);
      EXPECT_EQ(pair.client.error->alert, Alert::unexpected_message);
    }
  }
}

// Section 2 of RFC 5489: with ECDHE the parameters are never left out.
TEST(Rfc5489_2, TheParametersMustCome) {
  Pair pair = pair_of(psk("sensor"), psk("sensor"), kWithEcdhe);
  run_changed(pair, [](AlterableMessage& message) {
    if (message.type == HandshakeType::server_key_exchange) {
      message = {HandshakeType::server_hello_done, {}};
    }
  });
  EXPECT_EQ(pair.client.error.value().alert, Alert::unexpected_message);
}

TEST(Rfc5489_2, AGroupThatWasNotOfferedIsRefused) {
  Pair pair = pair_of(psk("sensor"), psk("sensor"), kWithEcdhe);
  run_changed(pair, HandshakeType::server_key_exchange, [](Buffer& body) {
    body.at(4) = std::byte{25};  // behind an empty hint and the curve's type: secp521r1
  });
  EXPECT_EQ(pair.client.error.value().alert, Alert::illegal_parameter);
}

TEST(Rfc5489_2, APointThatIsNoneIsRefused) {
  for (const Role sender : {Role::server, Role::client}) {
    Pair pair = pair_of(psk("sensor"), psk("sensor"), kWithEcdhe);
    const auto type = sender == Role::server ? HandshakeType::server_key_exchange
                                             : HandshakeType::client_key_exchange;
    run_changed(pair, type, [](Buffer& body) {
      std::ranges::fill(body.end() - 32, body.end(), std::byte{0});  // of X25519's small order
    });
    Peer& taker = sender == Role::server ? pair.client : pair.server;
    EXPECT_EQ(taker.error.value().code, Errc::bad_key_share);
    EXPECT_EQ(taker.error.value().alert, Alert::illegal_parameter);
  }
}

// RFC 5246 section 7.2.2: what can't be read is fatal.
TEST(Rfc4279_2_Messages, MalformedOnesAreFatal) {
  for (const CipherSuite suite : {kPlain, kWithEcdhe}) {
    for (const auto type :
         {HandshakeType::server_key_exchange, HandshakeType::client_key_exchange}) {
      for (const bool is_longer : {false, true}) {
        dtls::ConfigOptions server = psk_options({psk("sensor")}, suite);
        server.psk_identity_hint = Buffer(5, std::byte{'h'});
        Pair pair = pair_of(psk_options({psk("sensor")}, suite), server);
        run_changed(pair, type,
                    [&](Buffer& body) { is_longer ? body.push_back({}) : body.pop_back(); });
        Peer& taker = type == HandshakeType::server_key_exchange ? pair.client : pair.server;
        ASSERT_TRUE(taker.error);
        EXPECT_EQ(taker.error->alert, Alert::decode_error);
      }
    }
  }
}

// A suite is offered, and taken, only by who has a key.
TEST(Rfc4279_Negotiation, WithoutAKeyTheSuiteIsNotThere) {
  dtls::ConfigOptions both = options_for(ProtocolVersion::dtls12);
  both.cipher_suites = {kPlain, CipherSuite::ecdhe_ecdsa_with_aes_128_gcm_sha256};
  dtls::ConfigOptions with_key = both;
  with_key.pre_shared_keys = {psk("sensor")};
  for (const bool clients : {false, true}) {
    Pair pair = clients ? pair_of(with_key, both) : pair_of(both, with_key);
    pair.run();
    ASSERT_TRUE(works(pair));
    EXPECT_FALSE(pair.client.connected->psk);
  }
  Pair pair = pair_of(with_key, with_key);
  pair.run();
  EXPECT_TRUE(both_used_the_psk(pair));
}

// The server names a suite with a PSK to a client that has none.
TEST(Rfc4279_Negotiation, ASuiteThatWasNotOfferedIsRefused) {
  dtls::ConfigOptions client = options_for(ProtocolVersion::dtls12);
  client.cipher_suites = {kPlain, CipherSuite::ecdhe_ecdsa_with_aes_128_gcm_sha256};
  const dtls::ConfigOptions server = client;
  Pair pair = pair_of(client, server);
  run_changed(pair, HandshakeType::server_hello, [](Buffer& body) {
    const std::size_t suite = 2 + 32 + 1 + std::to_integer<std::size_t>(body.at(34));
    body.at(suite) = std::byte{0xc0};
    body.at(suite + 1) = std::byte{0xa8};
  });
  EXPECT_EQ(pair.client.error.value().alert, Alert::illegal_parameter);
}

}  // namespace
}  // namespace sluice::test
