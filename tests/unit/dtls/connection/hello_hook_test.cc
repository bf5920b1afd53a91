// What a HelloHook sees and does.
#include <algorithm>
#include <functional>

#include "support/connections.h"
#include "support/duel.h"
#include "support/resumption.h"

namespace sluice::test {
namespace {

using dtls::Alert;
using dtls::CipherSuite;
using dtls::Errc;
using dtls::HelloMessage;
using dtls::IncomingHello;
using dtls::OutgoingHello;
using dtls::ProtocolVersion;

constexpr std::uint16_t kGrease = 0xaaaa;

// Does what the test says, and keeps what it sees.
class Hook final : public dtls::HelloHook {
 public:
  explicit Hook(std::function<void(OutgoingHello&)> alter = {}) : alter_(std::move(alter)) {}

  void on_sending(OutgoingHello& hello) const override {
    if (alter_) alter_(hello);
    sent.push_back(hello);
    randoms.emplace_back(hello.random.begin(), hello.random.end());
  }
  void on_received(const IncomingHello& hello) const override {
    received.push_back(hello);
    received.back().body = {};  // no longer valid
  }

  mutable std::vector<OutgoingHello> sent;
  mutable std::vector<dtls::Buffer> randoms;
  mutable std::vector<IncomingHello> received;

 private:
  std::function<void(OutgoingHello&)> alter_;
};

std::shared_ptr<Hook> hook_that(std::function<void(OutgoingHello&)> alter = {}) {
  return std::make_shared<Hook>(std::move(alter));
}

// Something to ignore in front, and all else the other way round.
void grease(OutgoingHello& hello) {
  std::ranges::reverse(hello.extensions);
  hello.extensions.insert(hello.extensions.begin(), {kGrease, {}});
  hello.cipher_suites.insert(hello.cipher_suites.begin(), CipherSuite{kGrease});
}

std::vector<std::uint16_t> types(const std::vector<dtls::HelloExtension>& extensions) {
  std::vector<std::uint16_t> types;
  for (const auto& extension : extensions) types.push_back(extension.type);
  return types;
}

class HelloHook : public ByVersion {
 protected:
  static dtls::ConfigOptions with(std::shared_ptr<const dtls::HelloHook> hook) {
    dtls::ConfigOptions with = options();
    with.hello_hook = std::move(hook);
    return with;
  }
};

TEST_P(HelloHook, SeesWhatIsSentAndReceived) {
  const auto client = hook_that();
  const auto server = hook_that();
  Pair pair(with(client), with(server));
  pair.run();
  ASSERT_TRUE(works(pair));
  ASSERT_EQ(client->sent.size(), 1U);
  ASSERT_EQ(server->received.size(), 1U);
  EXPECT_EQ(client->sent[0].connection, pair.client.connection().number());
  EXPECT_EQ(server->received[0].connection, pair.server.connection().number());
  EXPECT_EQ(server->received[0].message, HelloMessage::client_hello);
  EXPECT_EQ(client->sent[0].cipher_suites, server->received[0].cipher_suites);
  EXPECT_EQ(types(client->sent[0].extensions), types(server->received[0].extensions));
  ASSERT_EQ(server->sent.size(), 1U);
  ASSERT_EQ(client->received.size(), 1U);
  EXPECT_EQ(client->received[0].message, HelloMessage::server_hello);
  EXPECT_EQ(client->received[0].cipher_suites, server->sent[0].cipher_suites);
  EXPECT_EQ(types(client->received[0].extensions), types(server->sent[0].extensions));
}

TEST_P(HelloHook, WhatAClientsHasMadeIsSentAndSigned) {
  const auto client = hook_that(grease);
  const auto server = hook_that();
  Pair pair(with(client), with(server));
  pair.run();
  ASSERT_TRUE(works(pair));
  EXPECT_EQ(server->received[0].extensions.front().type, kGrease);
  EXPECT_EQ(server->received[0].cipher_suites.front(), CipherSuite{kGrease});
}

// What a server says to an extension that only the hook knows reaches the hook; what nobody asked
// for ends the handshake.
TEST_P(HelloHook, AServersAnswersWhatAClientsHasAsked) {
  if (GetParam() == ProtocolVersion::dtls13) {
    GTEST_SKIP() << "a ServerHello of DTLS 1.3 has no room for it (RFC 8446 section 4.2)";
  }
  for (const bool asked : {true, false}) {
    const auto client = hook_that([&](OutgoingHello& hello) {
      if (asked) hello.extensions.push_back({0xff77, buffer_of("?")});
    });
    const auto server = hook_that(
        [](OutgoingHello& hello) { hello.extensions.push_back({0xff77, buffer_of("!")}); });
    Pair pair(with(client), with(server));
    pair.run();
    if (asked) {
      ASSERT_TRUE(works(pair));
      EXPECT_EQ(client->received[0].extensions.back().data, buffer_of("!"));
    } else {
      EXPECT_TRUE(failed(pair.client, Errc::unsupported_extension, Alert::unsupported_extension));
    }
  }
}

TEST_P(HelloHook, AnExtensionTakenAwayMayNotBeAnswered) {
  const auto client = hook_that([](OutgoingHello& hello) {
    std::erase_if(hello.extensions, [](const auto& extension) { return extension.type == 14; });
  });
  Pair pair(with(client), options());
  pair.run();
  ASSERT_TRUE(works(pair));
  EXPECT_FALSE(pair.client.connected->srtp_profile);
}

TEST_P(HelloHook, WhatCantBeParsedIsNotSent) {
  const auto twice = [](OutgoingHello& hello) {
    hello.extensions.push_back(hello.extensions.front());
  };
  const auto too_long = [](OutgoingHello& hello) {
    hello.extensions.push_back({kGrease, dtls::Buffer(65536)});
  };
  const auto too_much = [](OutgoingHello& hello) {
    hello.extensions.push_back({kGrease, dtls::Buffer(65531)});  // alone it would fit
  };
  const auto none = [](OutgoingHello& hello) { hello.cipher_suites.clear(); };
  const auto psk = [](OutgoingHello& hello) { hello.extensions.push_back({41, dtls::Buffer(8)}); };
  for (const std::function<void(OutgoingHello&)>& alter :
       std::initializer_list<std::function<void(OutgoingHello&)>>{twice, too_long, too_much, none,
                                                                  psk}) {
    const auto client =
        dtls::Connection::client(make_config(with(hook_that(alter))), environment(), kPath, {});
    ASSERT_FALSE(client);
    EXPECT_EQ(client.error().code, Errc::invalid_config);

    Pair pair(options(), with(hook_that(alter)));
    pair.run();
    EXPECT_TRUE(failed(pair.server, Errc::invalid_config, Alert::internal_error));
    expire_until_error(pair.client);
    ASSERT_TRUE(pair.client.error);
    EXPECT_EQ(pair.client.error->alert, Alert::internal_error);
  }
}

TEST_P(HelloHook, WhatFitsIsSent) {
  const auto client = hook_that(
      [](OutgoingHello& hello) { hello.extensions.push_back({kGrease, dtls::Buffer(60000)}); });
  const auto server = hook_that();
  Pair pair(with(client), with(server));
  pair.run();
  ASSERT_TRUE(works(pair));
  EXPECT_EQ(server->received.at(0).extensions.back().data.size(), 60000U);
}

TEST_P(HelloHook, AServersSuiteStays) {
  const auto server =
      hook_that([](OutgoingHello& hello) { hello.cipher_suites = {CipherSuite{kGrease}}; });
  Pair pair(options(), with(server));
  pair.run();
  EXPECT_TRUE(failed(pair.server, Errc::invalid_config, Alert::internal_error));
}

// RFC 5246 section 7.4.1.3: a suite of those that were sent.
TEST(HelloHookSuites, ASuiteTakenAwayMayNotBeChosen) {
  for (const bool taken : {false, true}) {
    dtls::ConfigOptions options = options_for(ProtocolVersion::dtls12);
    options.hello_hook = hook_that([&](OutgoingHello& hello) {
      if (taken) hello.cipher_suites = {CipherSuite{kGrease}};
    });
    Duel duel(dtls::Role::client, {}, options);
    duel.run();
    EXPECT_EQ(duel.engine.error.has_value(), taken);
    if (taken) {
      EXPECT_EQ(duel.engine.error->code, Errc::illegal_parameter);
    }
  }
}

// RFC 5246 section 7.4.1.2: the suites must include that of the session.
TEST(HelloHookSuites, ASessionWhoseSuiteIsTakenAwayIsNotResumed) {
  dtls::ConfigOptions options = with_tickets(options_for(ProtocolVersion::dtls12));
  options.cipher_suites = {CipherSuite::ecdhe_ecdsa_with_aes_128_gcm_sha256,
                           CipherSuite::ecdhe_ecdsa_with_aes_256_gcm_sha384};
  const Pair first = first_pair(options);
  dtls::ConfigOptions client = options;
  client.hello_hook = hook_that([](OutgoingHello& hello) {
    std::erase(hello.cipher_suites, CipherSuite::ecdhe_ecdsa_with_aes_128_gcm_sha256);
  });
  Pair second = second_pair(client, options, first.client.sessions.at(0));
  second.run();
  EXPECT_TRUE(works(second));
  EXPECT_FALSE(is_resumed(second));
}

// RFC 7366 section 3: CBC needs encrypt-then-MAC in each handshake.
TEST(HelloHookSuites, ASessionOfCbcIsNotResumedWithoutEncryptThenMac) {
  dtls::ConfigOptions options = with_tickets(options_for(ProtocolVersion::dtls12));
  options.identities.clear();
  options.pre_shared_keys = {must(dtls::PreSharedKey::make(bytes_of("device"), counted(16)))};
  options.cipher_suites = {CipherSuite::psk_with_aes_128_cbc_sha256,
                           CipherSuite::psk_with_aes_128_gcm_sha256};
  const Pair first = first_pair(options);
  ASSERT_EQ(first.client.connected->cipher_suite, options.cipher_suites.front());
  dtls::ConfigOptions client = options;
  client.hello_hook = hook_that([](OutgoingHello& hello) {
    std::erase_if(hello.extensions,
                  [](const auto& extension) { return extension.type == 22; });  // encrypt_then_mac
  });
  Pair second = second_pair(client, options, first.client.sessions.at(0));
  second.run();
  EXPECT_TRUE(works(second));
  EXPECT_FALSE(is_resumed(second));
}

// RFC 8446 section 4.1.3: the same. Somebody on the path has changed the server's choice.
TEST(HelloHookSuites, ASuiteTakenAwayMayNotBeChosenInDtls13) {
  dtls::ConfigOptions options = options_for(ProtocolVersion::dtls13);
  options.hello_hook = hook_that([](OutgoingHello& hello) {
    std::erase(hello.cipher_suites, CipherSuite::aes_128_gcm_sha256);
  });
  Pair pair(options, options_for(ProtocolVersion::dtls13));
  pair.flight(pair.client);
  dtls::Buffer flight = pair.server.take_datagrams().at(0);
  // After two headers, legacy_version, random and the size of the empty legacy_session_id_echo.
  const dtls::MutableBytes suite = dtls::MutableBytes(flight).subspan(13 + 12 + 2 + 32 + 1, 2);
  ASSERT_NE(suite[1], std::byte{1});
  suite[1] = std::byte{1};  // TLS_AES_128_GCM_SHA256
  pair.client.receive(std::move(flight), {});
  EXPECT_TRUE(failed(pair.client, Errc::illegal_parameter, Alert::illegal_parameter));
}

// RFC 8446 section 4.1.2: the second hello repeats the first, whose random the hook can go by.
TEST(HelloHookRetry, IsAskedAgainForTheSecondHello) {
  dtls::ConfigOptions options = options_for(ProtocolVersion::dtls13);
  options.groups = {dtls::NamedGroup::x25519, dtls::NamedGroup::secp256r1};
  const auto client = hook_that(grease);
  options.hello_hook = client;
  dtls::ConfigOptions server = options_for(ProtocolVersion::dtls13);
  server.groups = {dtls::NamedGroup::secp256r1};
  Pair pair(options, server);
  pair.run();
  ASSERT_TRUE(works(pair));
  ASSERT_EQ(client->sent.size(), 2U);
  EXPECT_EQ(client->randoms[0], client->randoms[1]);
  ASSERT_EQ(client->received.size(), 2U);
  EXPECT_EQ(client->received[0].message, HelloMessage::hello_retry_request);
}

// RFC 8446 section 4.2.11: binders sign what is sent, and stay behind it.
TEST(HelloHookPsk, BindersSignWhatItHasMade) {
  dtls::ConfigOptions options = options_for(ProtocolVersion::dtls13);
  options.pre_shared_keys = {must(dtls::PreSharedKey::make(buffer_of("who"), counted(32)))};
  dtls::ConfigOptions client = options;
  const auto hook = hook_that(grease);
  client.hello_hook = hook;
  Pair pair(client, options);
  pair.run();
  ASSERT_TRUE(works(pair));
  EXPECT_TRUE(pair.client.connected->psk);
  const auto seen = types(hook->sent[0].extensions);
  EXPECT_EQ(std::ranges::count(seen, 41), 0) << "it isn't the hook's to move";
}

INSTANTIATE_TEST_SUITE_P(Versions, HelloHook, both_versions(), name_of_version);

}  // namespace
}  // namespace sluice::test
