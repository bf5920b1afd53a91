// A server that chooses its Config by the ClientHello (ConfigRequested): alone, behind a Listener
// and in an Endpoint, in both versions.
#include <sluice/dtls/listener.h>

#include "support/connections.h"
#include "support/endpoint_host.h"
#include "support/listening_server.h"
#include "support/plaintext.h"

namespace sluice::test {
namespace {

using dtls::Alert;
using dtls::Buffer;
using dtls::CipherSuite;
using dtls::ConfigOptions;
using dtls::ConfigRequested;
using dtls::Errc;
using dtls::NamedGroup;
using dtls::PeerAuthentication;
using dtls::ProtocolVersion;
using dtls::RefuseConnection;
using dtls::UseConfig;

class ConfigChoice : public ByVersion {
 protected:
  // Has no identity of its own.
  static ConfigOptions asking() {
    ConfigOptions server = options();
    server.identities.clear();
    server.ask_for_config = true;
    return server;
  }
  static ConfigOptions named(const std::string& name) {
    ConfigOptions client = options();
    client.server_name = name;
    client.application_protocols = {"coap", "h3"};
    return client;
  }
  // With the question open.
  static Pair asked(const ConfigOptions& client, const ConfigOptions& server = asking()) {
    Pair pair(client, server);
    pair.run();
    EXPECT_TRUE(pair.server.config_request);
    EXPECT_FALSE(pair.server.error);
    return pair;
  }
  static void use(Pair& pair, const ConfigOptions& chosen) {
    answer(pair.server, pair.server.config_request, UseConfig{make_config(chosen)});
    pair.run();
  }
  static dtls::Error refusal(Peer& server, const dtls::Answer& answer) {
    const auto outcome =
        server.connection().answer(server.config_request->question.id(), answer, {});
    EXPECT_FALSE(outcome);
    return outcome ? dtls::Error{} : outcome.error();
  }
};
INSTANTIATE_TEST_SUITE_P(Versions, ConfigChoice, both_versions(), name_of_version);

// A plaintext alert, which anyone can have sent.
Buffer forged_alert() {
  return plaintext_record(dtls::wire::ContentType::alert, from_hex("0228"), 2000);
}

// Whoever sends another ClientHello, or a fragment of one, gets no other Config by it.
TEST_P(ConfigChoice, TheClientHelloThatWasAskedAboutStays) {
  Pair pair = asked(named("public.example"));
  pair.client = make_client(make_config(named("internal.example")));
  pair.flight(pair.client);
  const Buffer fragment =
      fragment_of(dtls::wire::HandshakeType::client_hello, 0, 500, 0, counted(9));
  pair.server.receive(plaintext_record(dtls::wire::ContentType::handshake, fragment, 2001), {});
  EXPECT_EQ(discards(pair.server, dtls::Discard::stale_message), 2U);
  use(pair, options());
  EXPECT_FALSE(pair.server.error);
  EXPECT_FALSE(pair.server.connected);
}

// The peer cannot show that it goes on while this side waits for its caller.
TEST_P(ConfigChoice, AForgedAlertEndsNothingWhileTheCallerIsAsked) {
  Pair pair = asked(named("a.example"));
  pair.server.receive(forged_alert(), {});
  expire_until_error(pair.server);
  EXPECT_FALSE(pair.server.error);
  const dtls::Instant later{std::chrono::seconds{2}};
  answer(pair.server, pair.server.config_request, UseConfig{make_config(options())}, later);
  pair.server.settle(pair.server.connection().handle_timeout(later), later);
  pair.run(later);
  EXPECT_TRUE(works(pair));
}

TEST_P(ConfigChoice, TheQuestionSaysWhatTheClientOffers) {
  const Pair pair = asked(named("a.example"));
  const ConfigRequested& question = *pair.server.config_request;
  EXPECT_EQ(question.server_name, "a.example");
  EXPECT_EQ(question.application_protocols, (std::vector<std::string>{"coap", "h3"}));
  EXPECT_EQ(question.versions, std::vector{GetParam()});
  const auto suite =
      is13() ? CipherSuite::aes_128_gcm_sha256 : CipherSuite::ecdhe_ecdsa_with_aes_128_gcm_sha256;
  EXPECT_EQ(std::ranges::count(question.cipher_suites, suite), 1);
  EXPECT_FALSE(pair.client.connected);
}

TEST_P(ConfigChoice, TheChosenConfigDecidesAll) {
  for (const bool first : {true, false}) {
    Pair pair = asked(named(first ? "a.example" : "b.example"));
    ConfigOptions chosen = options();
    chosen.identities = {first ? ecdsa_identity() : p384_identity()};
    chosen.application_protocols = {first ? "h3" : "coap"};
    chosen.peer_authentication = first ? PeerAuthentication::none : PeerAuthentication::require;
    use(pair, chosen);
    ASSERT_TRUE(works(pair));
    EXPECT_EQ(pair.client.peer_chain.front(), copy_of(chosen.identities.front().certificate()));
    EXPECT_EQ(pair.client.connected->application_protocol, first ? "h3" : "coap");
    EXPECT_EQ(pair.server.peer_chain.empty(), first);
    EXPECT_EQ(pair.server.connected->server_name, first ? "a.example" : "b.example");
  }
}

TEST_P(ConfigChoice, ThePresentConfigMayBeChosenAndDoesNotAskAgain) {
  ConfigOptions server = options();
  server.ask_for_config = true;
  const auto config = make_config(server);
  Pair pair(options());
  pair.server = make_server(config);
  pair.run();
  answer(pair.server, std::exchange(pair.server.config_request, {}), UseConfig{config});
  pair.run();
  EXPECT_TRUE(works(pair));
  EXPECT_FALSE(pair.server.config_request);
}

// Nobody is asked again who could give it what it lacks.
TEST_P(ConfigChoice, AChosenConfigThatAsksItselfIsCheckedAsAnyOther) {
  Pair pair = asked(options());
  auto error = refusal(pair.server, UseConfig{make_config(asking())});
  EXPECT_EQ(error.code, Errc::invalid_config);
  EXPECT_TRUE(error.detail.starts_with("identities:")) << error.detail.view();
  ConfigOptions chosen = options();
  chosen.ask_for_config = true;
  chosen.resumption = dtls::Resumption::tickets;
  error = refusal(pair.server, UseConfig{make_config(chosen)});
  EXPECT_EQ(error.code, Errc::invalid_config);
  EXPECT_TRUE(error.detail.starts_with("ticket_keys:")) << error.detail.view();
  chosen.resumption = dtls::Resumption::none;
  use(pair, chosen);
  EXPECT_TRUE(works(pair));
}

TEST_P(ConfigChoice, TheClientMayBeRefused) {
  Pair pair = asked(named("nobody.example"));
  answer(pair.server, pair.server.config_request, RefuseConnection{Alert::unrecognized_name});
  EXPECT_TRUE(failed(pair.server, Errc::peer_rejected, Alert::unrecognized_name, pair.client));
}

TEST_P(ConfigChoice, MayTakeItsTime) {
  Pair pair = asked(options());
  for (int i = 0; i < 3; ++i) {
    const auto next = pair.client.connection().next_timeout().value();
    pair.client.settle(pair.client.connection().handle_timeout(next), next);
    pair.run(next);
  }
  use(pair, options());
  EXPECT_TRUE(works(pair));
}

// What was announced before the Config was chosen counts.
TEST_P(ConfigChoice, FingerprintsAreKept) {
  for (const bool requests : {true, false}) {
    for (const bool right : {true, false}) {
      ConfigOptions server = asking();
      server.peer_authentication = PeerAuthentication::none;
      Pair pair = asked(options(), server);
      const auto fingerprint =
          must(dtls::Fingerprint::of((right ? ecdsa_identity() : rsa_identity()).certificate(),
                                     dtls::HashAlgorithm::sha256, environment()));
      pair.server.settle(
          pair.server.connection().set_peer_fingerprints(std::span(&fingerprint, 1), {}), {});
      ConfigOptions chosen = options();
      if (!requests) chosen.peer_authentication = PeerAuthentication::none;
      use(pair, chosen);
      if (requests && right) {
        EXPECT_TRUE(works(pair));
      } else {
        EXPECT_TRUE(failed(pair.server, Errc::peer_rejected, Alert::bad_certificate));
        EXPECT_FALSE(pair.server.connected);
      }
    }
  }
}

TEST_P(ConfigChoice, WhatIsUsedAlreadyMustBeEqual) {
  using Change = void (*)(ConfigOptions&);
  const std::pair<std::string_view, Change> changes[] = {
      {"mtu", [](ConfigOptions& o) { o.mtu = 1100; }},
      {"timers", [](ConfigOptions& o) { o.timers.total = std::chrono::seconds{60}; }},
      {"timers", [](ConfigOptions& o) { o.timers.back_off = 1.5; }},
      {"replay_window", [](ConfigOptions& o) { o.replay_window = 64; }},
      {"max_handshake_message", [](ConfigOptions& o) { o.max_handshake_message = 60000; }},
      {"max_reassembly", [](ConfigOptions& o) { o.max_reassembly = 140000; }},
      {"max_unaccepted_data", [](ConfigOptions& o) { o.max_unaccepted_data = 1; }},
      {"identities", [](ConfigOptions& o) { o.identities.clear(); }},
  };
  Pair pair = asked(options());
  for (const auto& [field, change] : changes) {
    ConfigOptions chosen = options();
    change(chosen);
    const auto error = refusal(pair.server, UseConfig{make_config(chosen)});
    EXPECT_EQ(error.code, Errc::invalid_config) << field;
    EXPECT_TRUE(error.detail.starts_with(std::string(field) + ":")) << error.detail.view();
  }
  EXPECT_EQ(refusal(pair.server, UseConfig{}).code, Errc::invalid_argument);
  EXPECT_EQ(refusal(pair.server, dtls::AcceptPeer{}).code, Errc::invalid_argument);
  use(pair, options());
  EXPECT_TRUE(works(pair)) << "the question stayed open";
}

TEST_P(ConfigChoice, IsAServersAlone) {
  const auto client = dtls::Connection::client(make_config(asking()), environment(), kPath, {});
  ASSERT_FALSE(client);
  EXPECT_TRUE(client.error().detail.starts_with("ask_for_config:"));
}

// The HelloRetryRequest, or the HelloVerifyRequest, is that of the asking Config.
TEST_P(ConfigChoice, BehindAListener) {
  const Buffer address = copy_of(bytes_of("client"));
  for (const bool needs_share : {false, true}) {
    ConfigOptions asks = asking();
    if (needs_share) asks.groups = {NamedGroup::secp384r1};
    ListeningServer server(make_config(asks));
    Peer client = make_client(make_config(named("a.example")));
    exchange(client, address, server);
    Peer* admitted = server.connection(address);
    ASSERT_NE(admitted, nullptr);
    ASSERT_TRUE(admitted->config_request);
    EXPECT_EQ(admitted->config_request->server_name, "a.example");
    ConfigOptions chosen = options();
    // Would itself prefer another suite.
    std::ranges::reverse(chosen.cipher_suites);
    answer(*admitted, admitted->config_request, UseConfig{make_config(chosen)});
    for (Buffer& datagram : admitted->take_datagrams()) client.receive(std::move(datagram), {});
    exchange(client, address, server);
    EXPECT_TRUE(works(client, address, server));
  }
}

TEST_P(ConfigChoice, AfterAListenerVersionSuiteAndGroupStay) {
  const Buffer address = copy_of(bytes_of("client"));
  const auto outcome_with = [&](const ConfigOptions& chosen) {
    ConfigOptions asks = asking();
    asks.groups = {NamedGroup::secp384r1};
    ListeningServer server(make_config(asks));
    const ConfigOptions both = test::options();  // offers both versions
    Peer client = make_client(make_config(both));
    exchange(client, address, server);
    Peer& admitted = *server.connection(address);
    answer(admitted, admitted.config_request, UseConfig{make_config(chosen)});
    EXPECT_TRUE(admitted.error);
    EXPECT_EQ(admitted.error->alert, Alert::handshake_failure);
    return admitted.error->code;
  };
  ConfigOptions chosen = test::options();
  chosen.min_version = chosen.max_version =
      is13() ? ProtocolVersion::dtls12 : ProtocolVersion::dtls13;
  EXPECT_EQ(outcome_with(chosen), Errc::no_common_version);
  if (!is13()) return;
  chosen = options();
  chosen.cipher_suites = {CipherSuite::chacha20_poly1305_sha256};
  EXPECT_EQ(outcome_with(chosen), Errc::no_common_cipher_suite);
  chosen = options();
  chosen.groups = {NamedGroup::x25519};
  EXPECT_EQ(outcome_with(chosen), Errc::no_common_group);
}

TEST_P(ConfigChoice, InAnEndpoint) {
  const auto path = path_of(1);
  EndpointHost host(make_config(asking()));
  Peer client = make_client(make_config(named("a.example")));
  exchange(client, path, host);
  const auto handle = host.endpoint.find(path);
  ASSERT_TRUE(handle);
  EXPECT_EQ(host.endpoint.find(*handle)->waiting_for(), dtls::WaitingFor::config);
  ASSERT_EQ(host.config_requests.size(), 1U);
  must(host.endpoint.answer(*handle, host.config_requests.front().question,
                            UseConfig{make_config(options())}, {}));
  host.settle({});
  exchange(client, path, host);
  EXPECT_TRUE(works(client, path, host));
}

}  // namespace
}  // namespace sluice::test
