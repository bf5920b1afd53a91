// The messages of a server's first flight.
#include <gtest/gtest.h>

#include <array>

#include "message/certificate12.h"
#include "message/certificate_request12.h"
#include "message/finished.h"
#include "message/hello_verify_request.h"
#include "message/server_hello.h"
#include "message/server_key_exchange.h"
#include "unit/dtls/message/exactness.h"

namespace sluice::dtls::message {
namespace {

using test::expect_exact;
using test::from_hex;
using test::kDecode;
using test::to_hex;

const std::string kRandom(64, 'b');

template <class Message>
bool decodes(const std::string& hex) {
  return Message::decode(from_hex(hex)).has_value();
}

TEST(ServerHello, IsReadFieldByField) {
  const Buffer body = from_hex("fefd" + kRandom + "02 aabb c02b 00 0004 0017 0000");
  const auto hello = ServerHello::decode(body);
  ASSERT_TRUE(hello);
  EXPECT_EQ(hello->version, ProtocolVersion::dtls12);
  EXPECT_EQ(to_hex(hello->random), kRandom);
  EXPECT_EQ(to_hex(hello->session_id), "aabb");
  EXPECT_EQ(hello->cipher_suite, CipherSuite::ecdhe_ecdsa_with_aes_128_gcm_sha256);
  EXPECT_EQ(hello->compression_method, 0);
  EXPECT_TRUE(hello->extensions.has(wire::ExtensionType::extended_master_secret));
}

TEST(ServerHello, IsTakenWholeOnly) {
  const Buffer body = from_hex("fefd" + kRandom + "02 aabb c02b 00 0004 0017 0000");
  expect_exact(body, kDecode<ServerHello>, {body.size() - 6});
}

TEST(ServerHello, WhatIsWrittenIsRead) {
  std::array<std::byte, 32> random{};
  random.fill(std::byte{0x77});
  Buffer body;
  wire::Writer writer(body);
  put_server_hello(writer, random, {}, CipherSuite::ecdhe_rsa_with_aes_256_gcm_sha384,
                   [](wire::Writer& out) {
                     put_empty_extension(out, wire::ExtensionType::extended_master_secret);
                   });
  const auto hello = ServerHello::decode(body);
  ASSERT_TRUE(hello);
  EXPECT_EQ(hello->version, ProtocolVersion::dtls12);
  EXPECT_EQ(hello->random, random);
  EXPECT_EQ(hello->cipher_suite, CipherSuite::ecdhe_rsa_with_aes_256_gcm_sha384);
  EXPECT_EQ(hello->compression_method, 0);
  EXPECT_TRUE(hello->extensions.has(wire::ExtensionType::extended_master_secret));
}

TEST(ServerHello, KeepsToTheLimitOfItsSessionId) {
  const std::string rest = "c02b 00";
  EXPECT_TRUE(decodes<ServerHello>("fefd" + kRandom + "20" + kRandom + rest));
  EXPECT_FALSE(decodes<ServerHello>("fefd" + kRandom + "21" + kRandom + "00" + rest));
}

TEST(ServerHello, ATwiceGivenExtensionSpoilsIt) {
  EXPECT_FALSE(
      decodes<ServerHello>("fefd" + kRandom + "00 c02b 00 000a ff01 0001 00 ff01 0001 00"));
}

TEST(HelloVerifyRequest, IsTakenWholeOnlyAndWhateverItsVersion) {
  const Buffer body = from_hex("feff 04 01020304");
  const auto request = HelloVerifyRequest::decode(body);
  ASSERT_TRUE(request);
  EXPECT_EQ(to_hex(request->cookie), "01020304");
  expect_exact(body, kDecode<HelloVerifyRequest>);
  // RFC 6347 section 4.2.1: the client must not judge by server_version.
  EXPECT_TRUE(decodes<HelloVerifyRequest>("fefd 01 aa"));
  EXPECT_TRUE(decodes<HelloVerifyRequest>("feff 00"));
  EXPECT_TRUE(decodes<HelloVerifyRequest>("feff ff" + std::string(510, '1')));
}

TEST(Certificate, IsReadEntryByEntry) {
  const Buffer body = from_hex("00000a 000003 aabbcc 000001 dd");
  const auto certificate = Certificate12::decode(body);
  ASSERT_TRUE(certificate);
  ASSERT_EQ(certificate->chain.size(), 2U);
  EXPECT_EQ(to_hex(certificate->chain[0]), "aabbcc");
  EXPECT_EQ(to_hex(certificate->chain[1]), "dd");
  expect_exact(body, kDecode<Certificate12>);
}

TEST(Certificate, WhatIsWrittenIsRead) {
  Buffer body;
  wire::Writer writer(body);
  const std::vector<Buffer> chain{test::counted(700), test::counted(1)};
  put_certificate12(writer, chain);
  const auto certificate = Certificate12::decode(body);
  ASSERT_TRUE(certificate);
  ASSERT_EQ(certificate->chain.size(), 2U);
  EXPECT_EQ(to_hex(certificate->chain[0]), to_hex(chain[0]));
  EXPECT_EQ(to_hex(certificate->chain[1]), to_hex(chain[1]));
}

TEST(Certificate, AClientMayHaveNone) {
  Buffer body;
  wire::Writer writer(body);
  put_certificate12(writer, {});
  EXPECT_EQ(to_hex(body), "000000");
  const auto certificate = Certificate12::decode(body);
  ASSERT_TRUE(certificate);
  EXPECT_TRUE(certificate->chain.empty());
}

TEST(Certificate, RefusesWhatNoChainIs) {
  EXPECT_FALSE(decodes<Certificate12>("000003 000000"));  // ASN.1Cert<1..2^24-1>
  EXPECT_FALSE(decodes<Certificate12>("000004 000002 aa"));
  EXPECT_FALSE(decodes<Certificate12>("ffffff 000001 aa"));
  EXPECT_FALSE(decodes<Certificate12>("000004 ffffff aa"));
  EXPECT_FALSE(decodes<Certificate12>("000004 000001 aa 00"));
}

TEST(Certificate, AChainHasABound) {
  const auto body = [](std::size_t entries) {
    Buffer bytes;
    wire::Writer writer(bytes);
    put_certificate12(writer, std::vector<Buffer>(entries, Buffer(1)));
    return bytes;
  };
  EXPECT_TRUE(Certificate12::decode(body(16)));
  // Else a message of 64 kB would be 16,000 entries to copy.
  EXPECT_FALSE(Certificate12::decode(body(17)));
}

TEST(ServerKeyExchange, IsReadFieldByField) {
  const Buffer body = from_hex("03 001d 04 01020304 0403 0003 aabbcc");
  const auto message = ServerKeyExchange::decode(body);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->group, NamedGroup::x25519);
  EXPECT_EQ(to_hex(message->point), "01020304");
  EXPECT_EQ(to_hex(message->params), "03001d0401020304");
  EXPECT_EQ(message->scheme, SignatureScheme::ecdsa_secp256r1_sha256);
  EXPECT_EQ(to_hex(message->signature), "aabbcc");
  expect_exact(body, kDecode<ServerKeyExchange>);
}

TEST(ServerKeyExchange, ItsParamsAreWhatIsWritten) {
  Buffer params;
  wire::Writer writer(params);
  put_ecdh_params(writer, NamedGroup::secp384r1, test::counted(97));
  Buffer body = params;
  wire::Writer rest(body);
  rest.code(SignatureScheme::rsa_pss_rsae_sha256);
  rest.u16(0);
  const auto message = ServerKeyExchange::decode(body);
  ASSERT_TRUE(message);
  EXPECT_EQ(to_hex(message->params), to_hex(params));
  EXPECT_EQ(message->group, NamedGroup::secp384r1);
  EXPECT_EQ(message->point.size(), 97U);
}

// RFC 8422 section 5.4: explicit curves (1, 2) are gone; ECPoint<1..2^8-1>.
TEST(ServerKeyExchange, TakesNamedCurvesAndPointsOnly) {
  EXPECT_FALSE(decodes<ServerKeyExchange>("01 001d 01 aa 0403 0001 bb"));
  EXPECT_FALSE(decodes<ServerKeyExchange>("02 001d 01 aa 0403 0001 bb"));
  EXPECT_FALSE(decodes<ServerKeyExchange>("00 001d 01 aa 0403 0001 bb"));
  EXPECT_FALSE(decodes<ServerKeyExchange>("03 001d 00 0403 0001 bb"));
  EXPECT_FALSE(decodes<ServerKeyExchange>("03 001d ff aa 0403 0001 bb"));
}

TEST(CertificateRequest, IsReadFieldByField) {
  const Buffer body = from_hex("02 40 01 0004 0403 0804 0005 0003 aabbcc");
  const auto request = CertificateRequest12::decode(body);
  ASSERT_TRUE(request);
  EXPECT_TRUE(request->accepts(ClientCertificateType::ecdsa_sign));
  EXPECT_TRUE(request->accepts(ClientCertificateType::rsa_sign));
  EXPECT_TRUE(request->schemes.contains(SignatureScheme::ecdsa_secp256r1_sha256));
  EXPECT_TRUE(request->schemes.contains(SignatureScheme::rsa_pss_rsae_sha256));
  EXPECT_FALSE(request->schemes.contains(SignatureScheme::rsa_pkcs1_sha256));
  ASSERT_EQ(request->authorities.size(), 1U);
  EXPECT_EQ(to_hex(request->authorities.front()), "aabbcc");
  expect_exact(body, kDecode<CertificateRequest12>);
}

TEST(CertificateRequest, WhatIsWrittenIsRead) {
  Buffer body;
  wire::Writer writer(body);
  put_certificate_request12(writer, std::array{SignatureScheme::ecdsa_secp384r1_sha384});
  const auto request = CertificateRequest12::decode(body);
  ASSERT_TRUE(request);
  EXPECT_TRUE(request->accepts(ClientCertificateType::ecdsa_sign));
  EXPECT_TRUE(request->accepts(ClientCertificateType::rsa_sign));
  EXPECT_EQ(std::ranges::distance(request->schemes), 1);
  EXPECT_TRUE(request->schemes.contains(SignatureScheme::ecdsa_secp384r1_sha384));
  EXPECT_TRUE(request->authorities.empty());
}

// RFC 5246 section 7.4.4: certificate_types<1..2^8-1>, supported_signature_algorithms
// <2..2^16-2>, certificate_authorities<0..2^16-1> of names with a length each.
TEST(CertificateRequest, KeepsToTheLimitsOfItsVectors) {
  EXPECT_FALSE(decodes<CertificateRequest12>("00 0002 0403 0000"));
  EXPECT_FALSE(decodes<CertificateRequest12>("01 40 0000 0000"));
  EXPECT_FALSE(decodes<CertificateRequest12>("01 40 0003 040308 0000"));
  EXPECT_FALSE(decodes<CertificateRequest12>("01 40 0002 0403 0001 00"));
  EXPECT_FALSE(decodes<CertificateRequest12>("01 40 0002 0403 0003 0002 aa"));
  EXPECT_TRUE(decodes<CertificateRequest12>("01 40 0002 0403 0006 0001 aa 0001 bb"));
  const auto only_rsa = from_hex("01 01 0002 0401 0000");
  const auto request = CertificateRequest12::decode(only_rsa);
  ASSERT_TRUE(request);
  EXPECT_FALSE(request->accepts(ClientCertificateType::ecdsa_sign));
}

TEST(ServerHelloDone, IsEmpty) { expect_exact({}, kDecode<ServerHelloDone>); }

}  // namespace
}  // namespace sluice::dtls::message
