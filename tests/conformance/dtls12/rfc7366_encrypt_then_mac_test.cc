// Suites with CBC, which are never spoken without encrypt-then-MAC (RFC 7366).
#include <gtest/gtest.h>

#include "conformance/dtls12/vocabulary.h"
#include "support/connections.h"
#include "support/hello_fields.h"
#include "support/plaintext.h"

namespace sluice::test {
namespace {

constexpr CipherSuite kCbc = CipherSuite::psk_with_aes_128_cbc_sha256;
constexpr CipherSuite kAead = CipherSuite::psk_with_aes_128_ccm_8;

dtls::ConfigOptions cbc_psk_options(std::vector<CipherSuite> suites) {
  dtls::ConfigOptions options = options_for(dtls::ProtocolVersion::dtls12);
  options.identities.clear();
  options.cipher_suites = std::move(suites);
  options.pre_shared_keys = {
      must(dtls::PreSharedKey::make(bytes_of("sensor"), Buffer(16, std::byte{1})))};
  return options;
}

// What the server answers to a hello with these suites.
Peer server_after(std::vector<CipherSuite> suites, bool with_extension) {
  Peer server = make_server(make_config(cbc_psk_options({kCbc, kAead})));
  ClientHelloFields hello;
  hello.suites = std::move(suites);
  hello.extensions.remove(ExtensionType::encrypt_then_mac);
  if (with_extension) hello.extensions.set(ExtensionType::encrypt_then_mac, {});
  server.receive(datagram_of(hello), {});
  return server;
}

// Section 2: without the extension the server must choose another suite, or none.
TEST(Rfc7366_2, AServerNeedsTheExtensionForCbc) {
  EXPECT_FALSE(server_after({kCbc}, true).error);
  EXPECT_FALSE(server_after({kCbc, kAead}, false).error);
  const Peer server = server_after({kCbc}, false);
  ASSERT_TRUE(server.error);
  EXPECT_EQ(server.error->code, Errc::no_common_cipher_suite);
}

// The client's answer to a ServerHello of the suite.
std::optional<Alert> alert_for(CipherSuite suite, bool with_extension) {
  Peer client = make_client(make_config(cbc_psk_options({kCbc, kAead})));
  client.take_datagrams();
  ServerHelloFields hello;
  hello.suite = suite;
  hello.extensions.clear();
  if (with_extension) hello.extensions.set(ExtensionType::encrypt_then_mac, {});
  client.receive(
      plaintext_record(dtls::wire::ContentType::handshake,
                       message_of(dtls::wire::HandshakeType::server_hello, 0, hello.encode())),
      {});
  return client.error ? client.error->alert : std::nullopt;
}

TEST(Rfc7366_2, AClientSpeaksCbcWithItAlone) {
  EXPECT_EQ(alert_for(kCbc, true), std::nullopt);
  EXPECT_EQ(alert_for(kCbc, false), Alert::handshake_failure);
}

// Section 3: "encrypt_then_mac MUST NOT be sent" with other suites.
TEST(Rfc7366_3, AnAeadSuiteGoesWithoutIt) {
  EXPECT_EQ(alert_for(kAead, false), std::nullopt);
  EXPECT_EQ(alert_for(kAead, true), Alert::illegal_parameter);
}

}  // namespace
}  // namespace sluice::test
