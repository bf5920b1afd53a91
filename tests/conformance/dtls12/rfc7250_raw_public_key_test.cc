// RFC 7250: the Certificate message of DTLS 1.2, and what a server may answer.
#include "conformance/dtls12/vocabulary.h"
#include "crypto/credentials.h"

namespace sluice::test {
namespace {

using dtls::CertificateType;

dtls::ConfigOptions raw_options() {
  dtls::ConfigOptions options = test::options();
  options.own_certificate_types =
      options.peer_certificate_types = {CertificateType::raw_public_key};
  return options;
}

// The SubjectPublicKeyInfo after the length that the message has.
Buffer raw_certificate(Bytes key, std::size_t length) {
  Buffer body;
  dtls::wire::Writer out(body);
  out.u24(length);
  out.bytes(key);
  return body;
}

Script raw_script(Role engine, const std::function<void(Buffer& body)>& change = {}) {
  Script script;
  script.takes_raw_public_key = true;
  script.client_hello.extensions.set(ExtensionType::client_certificate_type, from_hex("0102"));
  script.client_hello.extensions.set(ExtensionType::server_certificate_type, from_hex("0102"));
  if (engine == Role::client) {
    script.server_hello.extensions.set(ExtensionType::client_certificate_type, from_hex("02"));
    script.server_hello.extensions.set(ExtensionType::server_certificate_type, from_hex("02"));
  }
  const Buffer key = copy_of(script.identity.public_key());
  script.alter = altering(HandshakeType::certificate, [=](Buffer& body) {
    body = raw_certificate(key, key.size());
    if (change) change(body);
  });
  return script;
}

// Section 3: "opaque ASN.1_subjectPublicKeyInfo<1..2^24-1>", without the list of certificates.
TEST(Rfc7250_3, TheCertificateMessageIsTheKeyAlone) {
  for (const Role engine : kRoles) {
    Duel duel(engine, raw_script(engine), raw_options());
    duel.run();
    ASSERT_TRUE(works(duel));
    const auto message = std::ranges::find(duel.peer.messages, HandshakeType::certificate, type_of);
    ASSERT_NE(message, duel.peer.messages.end());
    const Bytes key = ecdsa_identity().public_key();
    EXPECT_EQ(copy_of(Bytes(*message).subspan(12)), raw_certificate(key, key.size()));
  }
}

TEST(Rfc7250_3, AMessageWithAWrongLengthIsMalformed) {
  for (const Role engine : kRoles) {
    for (const int by : {-1, 1}) {
      const auto change = [=](Buffer& body) {
        body.at(2) = static_cast<std::byte>(std::to_integer<int>(body.at(2)) + by);
      };
      EXPECT_TRUE(refused(engine, raw_script(engine, change), Errc::decode_error,
                          Alert::decode_error, raw_options()));
    }
  }
}

TEST(Rfc7250_3, AChainOfCertificatesIsNoKey) {
  for (const Role engine : kRoles) {
    Script script = raw_script(engine);
    script.alter = {};
    EXPECT_TRUE(refused(engine, std::move(script), Errc::invalid_certificate,
                        Alert::bad_certificate, raw_options()));
  }
}

// "MUST contain the DER encoding".
TEST(Rfc7250_3, BytesThatAreNoKeyAreRefused) {
  for (const Role engine : kRoles) {
    const auto change = [](Buffer& body) { body.at(3 + 1) ^= std::byte{0x80}; };
    EXPECT_TRUE(refused(engine, raw_script(engine, change), Errc::invalid_certificate,
                        Alert::bad_certificate, raw_options()));
  }
}

TEST(Rfc7250_3, AServerMustHaveAKey) {
  const auto change = [](Buffer& body) { body = from_hex("000000"); };
  EXPECT_TRUE(refused(Role::client, raw_script(Role::client, change), Errc::missing_certificate,
                      Alert::decode_error, raw_options()));
}

// Section 4.2: one value, of those that the client offered.
TEST(Rfc7250_4_2, AnAnswerHasOneOfferedType) {
  for (const auto extension :
       {ExtensionType::client_certificate_type, ExtensionType::server_certificate_type}) {
    for (const char* malformed : {"", "0102", "0202"}) {
      Script script = raw_script(Role::client);
      script.server_hello.extensions.set(extension, from_hex(malformed));
      EXPECT_TRUE(refused(Role::client, std::move(script), Errc::decode_error, Alert::decode_error,
                          raw_options()));
    }
    for (const char* other : {"00", "01", "ff"}) {
      Script script = raw_script(Role::client);
      script.server_hello.extensions.set(extension, from_hex(other));
      EXPECT_TRUE(refused(Role::client, std::move(script), Errc::illegal_parameter,
                          Alert::illegal_parameter, raw_options()));
    }
    Script unsolicited;
    unsolicited.server_hello.extensions.set(extension, from_hex("00"));
    EXPECT_TRUE(refused(Role::client, std::move(unsolicited), Errc::unsupported_extension,
                        Alert::unsupported_extension));
  }
}

}  // namespace
}  // namespace sluice::test
