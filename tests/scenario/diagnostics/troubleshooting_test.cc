// Each symptom of docs/troubleshooting.md, produced here, has the words by which the page lists it.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>

#include "support/resumption.h"

namespace sluice::test {
namespace {

using dtls::Errc;
using dtls::ProtocolVersion;

const std::string& page() {
  static const std::string kPage = [] {
    const std::ifstream file(SLUICE_TEST_DATA "/../docs/troubleshooting.md");
    std::ostringstream text;
    text << file.rdbuf();
    return std::move(text).str();
  }();
  return kPage;
}

// The error has this code and these words, and so has the page.
testing::AssertionResult says(const std::optional<dtls::Error>& error, Errc code,
                              std::string_view words) {
  if (!error) return testing::AssertionFailure() << "no error";
  const std::string text = to_string(*error);
  if (error->code != code) return testing::AssertionFailure() << text;
  if (text.find(words) == std::string::npos) {
    return testing::AssertionFailure() << "'" << text << "' does not say: " << words;
  }
  if (page().find(words) == std::string::npos) {
    return testing::AssertionFailure() << "docs/troubleshooting.md does not list: " << words;
  }
  return testing::AssertionSuccess();
}

// Lets the peer's timers run until it gives up; what it sends is lost.
void wait_alone(Peer& peer) {
  for (int i = 0; i < 200 && !peer.error; ++i) {
    const auto timeout = peer.connection().next_timeout();
    if (!timeout) return;
    peer.settle(peer.connection().handle_timeout(*timeout), *timeout);
    peer.take_datagrams();
  }
}

dtls::ConfigOptions with_psk(ProtocolVersion version, std::string_view identity,
                             std::string_view key) {
  dtls::ConfigOptions options{.min_version = version, .max_version = version};
  options.pre_shared_keys = {must(dtls::PreSharedKey::make(bytes_of(identity), bytes_of(key)))};
  return options;
}

TEST(Troubleshooting, NothingWasReceived) {
  Pair pair;
  wait_alone(pair.client);
  EXPECT_TRUE(says(pair.client.error, Errc::handshake_timeout, "nothing was received"));
}

TEST(Troubleshooting, NoWholeMessage) {
  Pair pair;
  pair.client.take_datagrams();
  pair.client.receive(copy_of(bytes_of("this is not DTLS, but some other protocol")), {});
  wait_alone(pair.client);
  EXPECT_TRUE(
      says(pair.client.error, Errc::handshake_timeout, "without a whole message of the handshake"));
}

TEST(Troubleshooting, RecordsThatCannotBeDecrypted) {
  Pair pair(with_psk(ProtocolVersion::dtls12, "sensor", "one key"),
            with_psk(ProtocolVersion::dtls12, "sensor", "another key"));
  pair.run();
  wait_alone(pair.server);
  EXPECT_TRUE(says(pair.server.error, Errc::handshake_timeout, "records could not be decrypted"));
}

TEST(Troubleshooting, ThePeerFallsSilent) {
  for (const auto version : {ProtocolVersion::dtls12, ProtocolVersion::dtls13}) {
    Pair pair(options_for(version));
    pair.flight(pair.client);
    wait_alone(pair.server);
    EXPECT_TRUE(says(pair.server.error, Errc::handshake_timeout, "the peer is silent since its"));
    EXPECT_NE(to_string(*pair.server.error).find("ClientHello"), std::string::npos);
  }
}

TEST(Troubleshooting, TheLastFlightIsNotAcknowledged) {
  Pair pair(options_for(ProtocolVersion::dtls13));
  pair.flight(pair.client);
  pair.flight(pair.server);
  wait_alone(pair.client);
  EXPECT_TRUE(says(pair.client.error, Errc::handshake_timeout,
                   "the server has not acknowledged our Finished"));
}

TEST(Troubleshooting, AQuestionWithoutAnswer) {
  dtls::ConfigOptions asks;
  asks.ask_for_identity = true;
  asks.peer_authentication = dtls::PeerAuthentication::none;
  Pair pair(options(), asks);
  pair.flight(pair.client);
  wait_alone(pair.server);
  EXPECT_TRUE(says(pair.server.error, Errc::handshake_timeout,
                   "the application has not answered a question"));
}

TEST(Troubleshooting, AnotherFingerprint) {
  Pair pair;
  const auto expected = must(dtls::Fingerprint::of(rsa_identity().certificate(),
                                                   dtls::HashAlgorithm::sha256, environment()));
  pair.client.settle(pair.client.connection().set_peer_fingerprints({{expected}}, {}), {});
  pair.run();
  EXPECT_TRUE(says(pair.client.error, Errc::peer_rejected, "fingerprint mismatch"));
  const std::string text = to_string(*pair.client.error);
  EXPECT_NE(text.find(expected.to_sdp()), std::string::npos);
  EXPECT_NE(text.find(must(dtls::Fingerprint::of(ecdsa_identity().certificate(),
                                                 dtls::HashAlgorithm::sha256, environment()))
                          .to_sdp()),
            std::string::npos);
  EXPECT_TRUE(says(pair.server.error, Errc::alert_received, "the peer sent a fatal alert"));
}

TEST(Troubleshooting, NoCertificate) {
  const dtls::ConfigOptions without;
  Pair pair(without, options());
  pair.run();
  EXPECT_TRUE(says(pair.server.error, Errc::missing_certificate, "the peer sent no certificate"));
}

TEST(Troubleshooting, NoSuiteInCommon) {
  dtls::ConfigOptions client = options_for(ProtocolVersion::dtls12);
  client.cipher_suites = {dtls::CipherSuite::ecdhe_ecdsa_with_aes_128_gcm_sha256};
  dtls::ConfigOptions server = client;
  server.cipher_suites = {dtls::CipherSuite::ecdhe_ecdsa_with_aes_256_gcm_sha384};
  Pair pair(client, server);
  pair.run();
  EXPECT_TRUE(says(pair.server.error, Errc::no_common_cipher_suite,
                   "none of ConfigOptions::cipher_suites"));
}

TEST(Troubleshooting, ACertificateOfAnotherKind) {
  dtls::ConfigOptions client = options_for(ProtocolVersion::dtls12);
  client.cipher_suites = {dtls::CipherSuite::ecdhe_rsa_with_aes_128_gcm_sha256};
  Pair wants_rsa(client, options_for(ProtocolVersion::dtls12));
  wants_rsa.run();
  EXPECT_TRUE(says(wants_rsa.server.error, Errc::no_common_cipher_suite,
                   "need a certificate with an RSA key"));
  client.cipher_suites = {dtls::CipherSuite::ecdhe_ecdsa_with_aes_128_gcm_sha256};
  dtls::ConfigOptions rsa = options_for(ProtocolVersion::dtls12);
  rsa.identities = {rsa_identity()};
  Pair wants_ecdsa(client, rsa);
  wants_ecdsa.run();
  EXPECT_TRUE(says(wants_ecdsa.server.error, Errc::no_common_cipher_suite,
                   "need a certificate with an ECDSA or Ed25519 key"));
}

TEST(Troubleshooting, NoSignatureSchemeInCommon) {
  dtls::ConfigOptions client = options_for(ProtocolVersion::dtls13);
  client.signature_schemes = {dtls::SignatureScheme::rsa_pss_rsae_sha256};
  Pair pair(client, options_for(ProtocolVersion::dtls13));
  pair.run();
  EXPECT_TRUE(says(pair.server.error, Errc::no_common_signature_scheme,
                   "no signature that this side's keys can make"));
}

TEST(Troubleshooting, AServerWithoutCertificate) {
  Pair pair(options_for(ProtocolVersion::dtls13),
            with_psk(ProtocolVersion::dtls13, "sensor", "one key"));
  pair.run();
  EXPECT_TRUE(
      says(pair.server.error, Errc::no_common_signature_scheme, "this server has no certificate"));
}

TEST(Troubleshooting, NoVersionInCommon) {
  Pair pair(options_for(ProtocolVersion::dtls12), options_for(ProtocolVersion::dtls13));
  pair.run();
  EXPECT_TRUE(says(pair.server.error, Errc::no_common_version, "no common version"));
}

TEST(Troubleshooting, PreSharedKeysThatDiffer) {
  Pair key(with_psk(ProtocolVersion::dtls13, "sensor", "one key"),
           with_psk(ProtocolVersion::dtls13, "sensor", "another key"));
  key.run();
  EXPECT_TRUE(says(key.server.error, Errc::psk_mismatch, "the binder did not verify"));
  Pair identity(with_psk(ProtocolVersion::dtls13, "sensor", "one key"),
                with_psk(ProtocolVersion::dtls13, "gateway", "one key"));
  identity.run();
  EXPECT_TRUE(
      says(identity.server.error, Errc::psk_mismatch, "none of the client's PSK identities"));
}

TEST(Troubleshooting, APskWithoutForwardSecrecy) {
  const auto options = with_psk(ProtocolVersion::dtls13, "sensor", "one key");
  Pair pair(options, options);
  auto flight = pair.client.take_datagrams();
  ASSERT_EQ(flight.size(), 1U);
  // psk_key_exchange_modes with psk_dhe_ke alone, which becomes psk_ke (RFC 8446 section 4.2.9).
  const auto modes = std::ranges::search(flight.front(), from_hex("002d 0002 01 01"));
  ASSERT_FALSE(modes.empty());
  modes.back() = std::byte{0};
  pair.server.receive(std::move(flight.front()), {});
  EXPECT_TRUE(says(pair.server.error, Errc::psk_mismatch, "psk_ke only"));
}

TEST(Troubleshooting, ThePeerLeaves) {
  for (const auto version : {ProtocolVersion::dtls12, ProtocolVersion::dtls13}) {
    Pair pair(options_for(version));
    pair.flight(pair.client);
    pair.client.settle(pair.client.connection().close({}), {});
    pair.flight(pair.client);
    expire_until_error(pair.server);
    EXPECT_TRUE(
        says(pair.server.error, Errc::closed_by_peer, "the peer closed during the handshake"));
    EXPECT_TRUE(pair.server.error->is_fatal);
  }
}

TEST(Troubleshooting, APlaceInTheSourceIsToldOnlyIfAsked) {
  Pair pair;
  wait_alone(pair.client);
  ASSERT_TRUE(pair.client.error);
  EXPECT_EQ(to_string(*pair.client.error).find(".cc:"), std::string::npos);
  EXPECT_NE(to_string(*pair.client.error, dtls::SourcePlace::include).find(".cc:"),
            std::string::npos);
}

}  // namespace
}  // namespace sluice::test
