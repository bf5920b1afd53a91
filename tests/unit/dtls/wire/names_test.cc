// Names that logs, pages and statistics show: those of IANA's registries.
#include <gtest/gtest.h>

#include <sluice/dtls/error.h>
#include <sluice/dtls/record_header.h>
#include <sluice/dtls/statistics.h>
#include <set>
#include <string>

namespace sluice::dtls {
namespace {

TEST(Names, AreThoseOfTheRegistries) {
  EXPECT_EQ(to_string(ProtocolVersion::dtls12), "DTLS 1.2");
  EXPECT_EQ(to_string(CipherSuite{0xc02b}), "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
  EXPECT_EQ(to_string(CipherSuite{0xc02c}), "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384");
  EXPECT_EQ(to_string(CipherSuite{0xc02f}), "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
  EXPECT_EQ(to_string(CipherSuite{0xc030}), "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384");
  EXPECT_EQ(to_string(CipherSuite{0xcca8}), "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256");
  EXPECT_EQ(to_string(CipherSuite{0xcca9}), "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256");
  EXPECT_EQ(to_string(NamedGroup{23}), "secp256r1");
  EXPECT_EQ(to_string(NamedGroup{24}), "secp384r1");
  EXPECT_EQ(to_string(NamedGroup{29}), "x25519");
  EXPECT_EQ(to_string(NamedGroup{0x11ec}), "X25519MLKEM768");
  EXPECT_EQ(to_string(SignatureScheme{0x0403}), "ecdsa_secp256r1_sha256");
  EXPECT_EQ(to_string(SignatureScheme{0x0806}), "rsa_pss_rsae_sha512");
  EXPECT_EQ(to_string(PskKeyExchangeMode{0}), "psk_ke");
  EXPECT_EQ(to_string(PskKeyExchangeMode{1}), "psk_dhe_ke");
  EXPECT_EQ(to_string(CertificateType{0}), "X509");
  EXPECT_EQ(to_string(CertificateType{2}), "Raw Public Key");
  EXPECT_EQ(to_string(ContentType{23}), "application_data");
  EXPECT_EQ(to_string(ContentType{26}), "ACK");
  EXPECT_EQ(to_string(Alert::bad_certificate), "bad_certificate");
  EXPECT_EQ(to_string(Alert::no_renegotiation), "no_renegotiation");
}

TEST(Names, WhatNobodyKnowsIsUnknown) {
  EXPECT_EQ(to_string(ProtocolVersion{0x0303}), "unknown");
  EXPECT_EQ(to_string(CipherSuite{0x1399}), "unknown");
  EXPECT_EQ(to_string(NamedGroup{0x6399}), "unknown");
  EXPECT_EQ(to_string(SignatureScheme{0x0201}), "unknown");
  EXPECT_EQ(to_string(PskKeyExchangeMode{2}), "unknown");
  EXPECT_EQ(to_string(CertificateType{1}), "unknown");
  EXPECT_EQ(to_string(SrtpProfile{0x0005}), "unknown");
  EXPECT_EQ(to_string(ContentType{24}), "unknown");
  EXPECT_EQ(to_string(Alert{255}), "unknown");
}

// A code without a name of its own would make two reasons look like one.
TEST(Names, EachReasonAndErrorHasItsOwn) {
  std::set<std::string_view> reasons;
  for (std::size_t i = 0; i < kDiscardReasons; ++i)
    reasons.insert(to_string(static_cast<Discard>(i)));
  EXPECT_EQ(reasons.size(), kDiscardReasons);
  EXPECT_FALSE(reasons.contains("unknown"));

  std::set<std::string_view> errors;
  constexpr auto kErrors = static_cast<std::size_t>(Errc::libcrypto_failure) + 1;
  for (std::size_t i = 0; i < kErrors; ++i) errors.insert(to_string(static_cast<Errc>(i)));
  EXPECT_EQ(errors.size(), kErrors);
  EXPECT_FALSE(errors.contains("unknown"));
}

TEST(Names, AnErrorSaysWhatAndWhereOnOneLine) {
  const Error error{Errc::peer_rejected, Alert::bad_certificate, 0, "fingerprint mismatch"};
  const std::string text = to_string(error);
  EXPECT_NE(text.find(to_string(Errc::peer_rejected)), std::string::npos) << text;
  EXPECT_NE(text.find("bad_certificate"), std::string::npos) << text;
  EXPECT_NE(text.find("fingerprint mismatch"), std::string::npos) << text;
  EXPECT_EQ(text.find("names_test.cc"), std::string::npos) << text;
  EXPECT_NE(to_string(error, SourcePlace::include).find("names_test.cc"), std::string::npos);
  EXPECT_EQ(text.find('\n'), std::string::npos) << text;
}

}  // namespace
}  // namespace sluice::dtls
