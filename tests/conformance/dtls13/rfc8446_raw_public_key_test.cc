// Raw public keys in DTLS 1.3 (RFC 8446 section 4.4.2).
#include "conformance/dtls13/altered_handshake.h"
#include "message/certificate13.h"

namespace sluice::test {
namespace {

using dtls::CertificateType;
using dtls::message::Certificate13;

dtls::ConfigOptions raw_options() {
  dtls::ConfigOptions options = options13();
  options.mtu = 8192;  // each flight in one datagram
  options.own_certificate_types =
      options.peer_certificate_types = {CertificateType::raw_public_key};
  return options;
}

// One CertificateEntry, whose cert_data is the key.
TEST(Rfc8446_4_4_2_RawPublicKey, TheOneEntryIsTheKey) {
  for (const Role sender : kRoles) {
    Pair pair(raw_options());
    const auto is_key = [](Buffer& body) {
      const auto certificate = Certificate13::decode(body);
      ASSERT_TRUE(certificate);
      ASSERT_EQ(certificate->chain.size(), 1U);
      EXPECT_EQ(copy_of(certificate->chain.front()), copy_of(ecdsa_identity().public_key()));
    };
    EXPECT_EQ(AlteredHandshake(pair, sender, HandshakeType::certificate, is_key).run(), 1U);
    EXPECT_TRUE(works(pair));
  }
}

// "the certificate_list MUST contain no more than one CertificateEntry".
TEST(Rfc8446_4_4_2_RawPublicKey, MoreThanOneEntryIsRefused) {
  for (const Role sender : kRoles) {
    Pair pair(raw_options());
    const auto repeat = [](Buffer& body) {
      const Buffer key = copy_of(ecdsa_identity().public_key());
      body.clear();
      dtls::wire::Writer out(body);
      dtls::message::put_certificate13(out, {key, key});
    };
    EXPECT_EQ(AlteredHandshake(pair, sender, HandshakeType::certificate, repeat).run(), 1U);
    EXPECT_TRUE(failed(sender == Role::client ? pair.server : pair.client, Errc::illegal_parameter,
                       Alert::illegal_parameter));
  }
}

// The answers are encrypted.
TEST(Rfc8446_4_4_2_RawPublicKey, EncryptedExtensionsHaveTheAnswers) {
  Pair pair(raw_options());
  const auto has_answers = [](Buffer& body) {
    const std::string text = to_hex(body);
    EXPECT_NE(text.find("0013000102"), std::string::npos) << text;
    EXPECT_NE(text.find("0014000102"), std::string::npos) << text;
  };
  EXPECT_EQ(
      AlteredHandshake(pair, Role::server, HandshakeType::encrypted_extensions, has_answers).run(),
      1U);
  EXPECT_TRUE(works(pair));
}

}  // namespace
}  // namespace sluice::test
