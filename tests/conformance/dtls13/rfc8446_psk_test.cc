// External pre-shared keys (RFC 8446 section 4.2.11), and the questions about them.
#include <algorithm>

#include "conformance/dtls13/vocabulary.h"
#include "message/client_hello.h"
#include "message/server_hello.h"
#include "support/middlebox.h"

namespace sluice::test {
namespace {

using dtls::HashAlgorithm;
using dtls::PreSharedKey;
using dtls::message::ClientHello;
using dtls::wire::ExtensionType;

PreSharedKey psk(std::string_view identity, unsigned seed = 1,
                 HashAlgorithm hash = HashAlgorithm::sha256) {
  return must(PreSharedKey::make(bytes_of(identity), Buffer(32, std::byte(seed)), hash));
}

// Without a certificate.
dtls::ConfigOptions psk_options(std::vector<PreSharedKey> keys) {
  dtls::ConfigOptions options = options13();
  options.identities.clear();
  options.pre_shared_keys = std::move(keys);
  return options;
}

dtls::ConfigOptions psk_asking_options() {
  dtls::ConfigOptions options = psk_options({});
  options.ask_for_psk = true;
  return options;
}

testing::AssertionResult both_used_a_psk(Pair& pair) {
  if (auto worked = works(pair); !worked) return worked;
  for (const Peer* peer : {&pair.client, &pair.server}) {
    if (!peer->connected->psk || peer->connected->resumed) {
      return testing::AssertionFailure() << "not by an external PSK";
    }
    if (peer->question) return testing::AssertionFailure() << "somebody showed a certificate";
  }
  return testing::AssertionSuccess();
}

testing::AssertionResult both_used_certificates(Pair& pair) {
  if (auto worked = works(pair); !worked) return worked;
  if (pair.client.connected->psk || pair.server.connected->psk) {
    return testing::AssertionFailure() << "a PSK was used";
  }
  if (!pair.client.question) return testing::AssertionFailure() << "no certificate was shown";
  return testing::AssertionSuccess();
}

// Carries datagrams, the client's first changed on its way.
using Change = std::function<void(const ClientHello&, Buffer& datagram)>;
void run_with_hello(Pair& pair, const Change& change) {
  constexpr std::size_t kBody = dtls::record::kHeaderSize12 + dtls::message::kHandshakeHeaderSize;
  bool is_first = true;
  exchange_through(
      [&](dtls::Role sender, Buffer datagram) {
        if (sender == dtls::Role::client && std::exchange(is_first, false)) {
          change(ClientHello::decode(Bytes(datagram).subspan(kBody)).value(), datagram);
        }
        return std::vector<Buffer>{std::move(datagram)};
      },
      pair.client, pair.server);
}

// The same by one bit, of the last of the bytes that `where` names.
using Place = std::function<Bytes(const ClientHello&)>;
void run_with_changed_hello(Pair& pair, const Place& where) {
  run_with_hello(pair, [&](const ClientHello& hello, Buffer& datagram) {
    const Bytes target = where(hello);
    datagram.at(static_cast<std::size_t>(&target.back() - datagram.data())) ^= std::byte{1};
  });
}

Place extension_data(ExtensionType type) {
  return [type](const ClientHello& hello) { return hello.extensions.find(type).value(); };
}

TEST(Rfc8446_4_2_11, BothSidesProveThemselvesByThePsk) {
  Pair pair(psk_options({psk("sensor")}), psk_options({psk("other", 2), psk("sensor")}));
  pair.run();
  EXPECT_TRUE(both_used_a_psk(pair));
}

TEST(Rfc8446_4_2_11, TheFirstKnownIdentityIsTaken) {
  Pair pair(psk_options({psk("unknown", 7), psk("known", 2), psk("also", 3)}),
            psk_options({psk("also", 3), psk("known", 2)}));
  pair.run();
  EXPECT_TRUE(both_used_a_psk(pair));
}

TEST(Rfc8446_4_2_11, ThePskGoesWithASuiteOfItsHash) {
  const auto key = psk("sensor", 1, HashAlgorithm::sha384);
  Pair pair(psk_options({key}), psk_options({key}));
  pair.run();
  EXPECT_TRUE(both_used_a_psk(pair));
  EXPECT_EQ(pair.client.connected->cipher_suite, dtls::CipherSuite::aes_256_gcm_sha384);
}

TEST(Rfc8446_4_2_11, WithoutASuiteOfItsHashTheCertificateDecides) {
  const auto key = psk("sensor", 1, HashAlgorithm::sha384);
  dtls::ConfigOptions client = options13();
  client.pre_shared_keys = {key};
  dtls::ConfigOptions server = options13();
  server.cipher_suites = {dtls::CipherSuite::aes_128_gcm_sha256};
  server.ask_for_psk = true;
  Pair pair(client, server);
  pair.run();
  answer_psk(pair.server, dtls::UsePsk{0, key});
  pair.run();
  EXPECT_TRUE(both_used_certificates(pair));
}

TEST(Rfc8446_4_2_11, UnknownAndWrongLookTheSame) {
  Pair unknown(psk_options({psk("nobody")}), psk_options({psk("sensor")}));
  unknown.run();
  EXPECT_TRUE(failed(unknown.server, Errc::psk_mismatch, Alert::decrypt_error, unknown.client));
  Pair wrong(psk_options({psk("sensor", 1)}), psk_options({psk("sensor", 2)}));
  wrong.run();
  EXPECT_TRUE(failed(wrong.server, Errc::psk_mismatch, Alert::decrypt_error, wrong.client));
}

TEST(Rfc8446_4_2_11, AnUnknownIdentityFallsBackToTheCertificate) {
  dtls::ConfigOptions client = options13();
  client.pre_shared_keys = {psk("nobody")};
  dtls::ConfigOptions server = options13();
  server.pre_shared_keys = {psk("sensor")};
  Pair pair(client, server);
  pair.run();
  EXPECT_TRUE(both_used_certificates(pair));
}

TEST(Rfc8446_4_2_11, AServerWithoutPsksTakesNoNoticeOfTheOffer) {
  dtls::ConfigOptions client = options13();
  client.pre_shared_keys = {psk("sensor")};
  Pair pair(client, options13());
  pair.run();
  EXPECT_TRUE(both_used_certificates(pair));
}

// RFC 8446 section 4.2.11.2: the binder covers the hello before it.
TEST(Rfc8446_4_2_11_2, AHelloThatWasChangedDoesNotVerify) {
  const Place places[] = {
      [](const ClientHello& hello) {
        const Bytes data = hello.extensions.find(ExtensionType::use_srtp).value();
        return data.first(data.size() - 1);  // the last profile; the MKI's length stands behind it
      },
      extension_data(ExtensionType::pre_shared_key)};
  for (const Place& where : places) {
    Pair pair(psk_options({psk("sensor")}), psk_options({psk("sensor")}));
    run_with_changed_hello(pair, where);
    EXPECT_TRUE(failed(pair.server, Errc::psk_mismatch, Alert::decrypt_error, pair.client));
  }
}

TEST(Rfc8446_4_2_9, PreSharedKeyNeedsItsModes) {
  Pair pair(psk_options({psk("sensor")}), psk_options({psk("sensor")}));
  // The type of psk_key_exchange_modes, 45, becomes 44, cookie.
  run_with_changed_hello(pair, [](const ClientHello& hello) {
    const Bytes modes = hello.extensions.find(ExtensionType::psk_key_exchange_modes).value();
    return Bytes(modes.data() - 4, 2);
  });
  EXPECT_TRUE(failed(pair.server, Errc::illegal_parameter, Alert::missing_extension, pair.client));
}

TEST(Rfc8446_4_2_11, PreSharedKeyMustBeTheLastExtension) {
  Pair pair(psk_options({psk("sensor")}), psk_options({psk("sensor")}));
  constexpr std::size_t kExtensionHeader = 4;
  run_with_hello(pair, [](const ClientHello& hello, Buffer& datagram) {
    const auto offset = [&](ExtensionType type) {
      return hello.extensions.find(type).value().data() - kExtensionHeader - datagram.data();
    };
    std::rotate(datagram.begin() + offset(ExtensionType::psk_key_exchange_modes),
                datagram.begin() + offset(ExtensionType::pre_shared_key), datagram.end());
  });
  EXPECT_TRUE(failed(pair.server, Errc::illegal_parameter, Alert::illegal_parameter, pair.client));
}

// RFC 8446 section 4.2.9: without a mode that the server has, there is no PSK.
TEST(Rfc8446_4_2_9, PskKeAloneIsNotEnough) {
  dtls::ConfigOptions client = options13();
  client.pre_shared_keys = {psk("sensor")};
  dtls::ConfigOptions server = options13();
  server.pre_shared_keys = {psk("sensor")};
  Pair pair(client, server);
  std::vector<Buffer> flight = pair.client.take_datagrams();
  ASSERT_EQ(flight.size(), 1U);
  const Buffer one_mode = from_hex("002d 0002 01 01");
  const auto found =
      std::search(flight[0].begin(), flight[0].end(), one_mode.begin(), one_mode.end());
  ASSERT_NE(found, flight[0].end());
  found[5] = std::byte{0};  // psk_ke
  pair.server.receive(flight[0], {});
  EXPECT_FALSE(pair.server.error);
  const Buffer answer = pair.server.take_datagrams().at(0);
  dtls::wire::Reader reader(Bytes(answer).subspan(dtls::record::kHeaderSize12));
  const auto message = dtls::message::HandshakeFragment::take(reader);
  const auto hello = dtls::message::ServerHello::decode(message.value().body);
  EXPECT_FALSE(hello.value().extensions.has(ExtensionType::pre_shared_key));
}

// RFC 8446 section 4.1.4: binders are computed anew, over the hash of the first hello.
TEST(Rfc8446_4_1_4, PsksOutliveAHelloRetryRequest) {
  dtls::ConfigOptions server = psk_options({psk("sensor")});
  server.groups = {dtls::NamedGroup::secp384r1};
  Pair pair(psk_options({psk("sensor")}), server);
  pair.run();
  EXPECT_TRUE(both_used_a_psk(pair));
  EXPECT_EQ(pair.client.connected->group, dtls::NamedGroup::secp384r1);
}

TEST(Rfc8446_4_1_4, TheSuiteOfAHelloRetryRequestStays) {
  // The server prefers SHA-256 and asks for a group; the PSK that is left then is no use.
  dtls::ConfigOptions server = options13();
  server.pre_shared_keys = {psk("sensor", 1, HashAlgorithm::sha384)};
  server.groups = {dtls::NamedGroup::secp384r1};
  dtls::ConfigOptions client = options13();
  client.pre_shared_keys = server.pre_shared_keys;
  Pair pair(client, server);
  pair.run();
  EXPECT_TRUE(both_used_certificates(pair));
}

// ---- questions

TEST(PskQuestion, IsAskedWithAllIdentitiesAndMayBeAnsweredLater) {
  Pair pair(psk_options({psk("a", 1), psk("b", 2)}), psk_asking_options());
  pair.run();
  ASSERT_TRUE(pair.server.psk_request);
  const auto& identities = pair.server.psk_request->identities;
  ASSERT_EQ(identities.size(), 2U);
  EXPECT_EQ(identities[1], copy_of(bytes_of("b")));
  EXPECT_FALSE(pair.server.connected || pair.server.error);
  answer_psk(pair.server, dtls::UsePsk{1, psk("b", 2)});
  pair.run();
  EXPECT_TRUE(both_used_a_psk(pair));
}

TEST(PskQuestion, IsAskedOnceHoweverOftenTheHelloComes) {
  Pair pair(psk_options({psk("a")}), psk_asking_options());
  for (int i = 0; i < 3; ++i) {
    const Instant now = *pair.client.connection().next_timeout();
    pair.client.settle(pair.client.connection().handle_timeout(now), now);
    pair.run(now);
    EXPECT_EQ(pair.server.psk_request.has_value(), i == 0);
    const auto question = std::exchange(pair.server.psk_request, {});
    if (i != 2) continue;
    pair.server.settle(
        pair.server.connection().answer(dtls::QuestionId{2}, dtls::UsePsk{0, psk("a")}, now), now);
    pair.run(now);
    EXPECT_TRUE(both_used_a_psk(pair));
  }
}

TEST(PskQuestion, AfterAHelloRetryRequestIsAskedOfTheSecondHello) {
  dtls::ConfigOptions server = psk_asking_options();
  server.groups = {dtls::NamedGroup::secp256r1};
  Pair pair(psk_options({psk("a")}), server);
  pair.run();
  ASSERT_TRUE(pair.server.psk_request);
  answer_psk(pair.server, dtls::UsePsk{0, psk("a")});
  pair.run();
  EXPECT_TRUE(both_used_a_psk(pair));
}

TEST(PskQuestion, NobodyKnowsTheIdentity) {
  Pair without(psk_options({psk("a")}), psk_asking_options());
  without.run();
  answer_psk(without.server, dtls::NoPsk{});
  EXPECT_TRUE(failed(without.server, Errc::psk_mismatch, Alert::decrypt_error, without.client));

  dtls::ConfigOptions with_certificate = options13();
  with_certificate.ask_for_psk = true;
  dtls::ConfigOptions client = options13();
  client.pre_shared_keys = {psk("a")};
  Pair with(client, with_certificate);
  with.run();
  answer_psk(with.server, dtls::NoPsk{});
  with.run();
  EXPECT_TRUE(both_used_certificates(with));
}

TEST(PskQuestion, AWrongKeyIsRefused) {
  Pair pair(psk_options({psk("a", 1)}), psk_asking_options());
  pair.run();
  answer_psk(pair.server, dtls::UsePsk{0, psk("a", 2)});
  EXPECT_TRUE(failed(pair.server, Errc::psk_mismatch, Alert::decrypt_error, pair.client));
}

TEST(PskQuestion, AnswersThatFitNothingChangeNothing) {
  Pair pair(psk_options({psk("a")}), psk_asking_options());
  const auto refuses = [&](std::uint32_t question, const dtls::Answer& answer) {
    const auto outcome =
        pair.server.connection().answer(dtls::QuestionId{question}, answer, Instant{});
    return !outcome && outcome.error().code == Errc::invalid_argument;
  };
  EXPECT_TRUE(refuses(2, dtls::NoPsk{})) << "nothing was asked";
  pair.run();
  EXPECT_TRUE(refuses(2, dtls::UsePsk{1, psk("a")})) << "there is no second identity";
  EXPECT_TRUE(refuses(2, dtls::AcceptPeer{}));
  EXPECT_TRUE(refuses(1, dtls::NoPsk{}));
  EXPECT_TRUE(refuses(3, dtls::NoPsk{}));
  answer_psk(pair.server, dtls::UsePsk{0, psk("a")});
  EXPECT_TRUE(refuses(2, dtls::NoPsk{})) << "it is answered";
  pair.run();
  EXPECT_TRUE(both_used_a_psk(pair));
}

// ---- a server that departs from the RFC

// The server's ServerHello with pre_shared_key, or one more, changed on its way.
testing::AssertionResult client_refuses(const dtls::ConfigOptions& client,
                                        const std::function<void(Buffer&)>& change, Alert alert) {
  Pair pair(client, psk_options({psk("sensor")}));
  bool is_first = true;
  exchange_through(
      [&](dtls::Role sender, Buffer datagram) {
        if (sender == dtls::Role::server && std::exchange(is_first, false)) change(datagram);
        return std::vector<Buffer>{std::move(datagram)};
      },
      pair.client, pair.server);
  if (!pair.client.error) return testing::AssertionFailure() << "no error";
  if (pair.client.error->alert != alert) {
    return testing::AssertionFailure() << to_string(*pair.client.error);
  }
  return testing::AssertionSuccess();
}

TEST(Rfc8446_4_2_11, ASelectedIdentityOutOfRangeIsRefused) {
  const auto select_second = [](Buffer& datagram) {
    const Buffer extension = from_hex("0029 0002 0000");
    const auto found =
        std::search(datagram.begin(), datagram.end(), extension.begin(), extension.end());
    ASSERT_NE(found, datagram.end());
    found[5] = std::byte{1};
  };
  EXPECT_TRUE(
      client_refuses(psk_options({psk("sensor")}), select_second, Alert::illegal_parameter));
}

// ---- configuration

TEST(PreSharedKey, HasBounds) {
  const auto code_of = [](std::size_t identity, std::size_t key, HashAlgorithm hash) {
    const auto made = PreSharedKey::make(counted(identity), counted(key), hash);
    return made ? std::nullopt : std::optional(made.error().code);
  };
  EXPECT_EQ(code_of(1, 1, HashAlgorithm::sha256), std::nullopt);
  EXPECT_EQ(code_of(65535, 64, HashAlgorithm::sha384), std::nullopt);
  EXPECT_EQ(code_of(0, 16, HashAlgorithm::sha256), Errc::invalid_argument);
  EXPECT_EQ(code_of(65536, 16, HashAlgorithm::sha256), Errc::invalid_argument);
  EXPECT_EQ(code_of(1, 0, HashAlgorithm::sha256), Errc::invalid_argument);
  EXPECT_EQ(code_of(1, 65, HashAlgorithm::sha256), Errc::invalid_argument);
  EXPECT_EQ(code_of(1, 16, HashAlgorithm::sha1), Errc::invalid_argument);
}

}  // namespace
}  // namespace sluice::test
