#include <openssl/pkcs12.h>
#include <openssl/ui.h>
#include <sluice/dtls/identity.h>

#include "crypto/certificate_key.h"
#include "crypto/credentials.h"
#include "unit/dtls/crypto/certificates.h"
#include "unit/dtls/crypto/crypto_test.h"

namespace sluice::dtls {
namespace {

using test::certificate_pem;
using test::key_pem;
using test::must;
using test::to_hex;

// Counts how often libcrypto would have asked somebody for a passphrase.
int prompts = 0;

class IdentityTest : public test::CryptoTest {
 protected:
  void SetUp() override {
    CryptoTest::SetUp();
    static UI_METHOD* const kMethod = [] {
      UI_METHOD* made = UI_create_method("counts prompts");
      UI_method_set_opener(made, [](UI*) {
        ++prompts;
        return 0;
      });
      return made;
    }();
    UI_set_default_method(kMethod);
    prompts = 0;
  }
  void TearDown() override {
    UI_set_default_method(UI_OpenSSL());
    EXPECT_EQ(prompts, 0);
    CryptoTest::TearDown();
  }

  static std::string outcome(const Result<Identity>& identity) {
    EXPECT_EQ(ERR_peek_error(), 0U);
    if (identity) return "identity";
    EXPECT_FALSE(identity.error().detail.empty());
    return std::string(to_string(identity.error().code));
  }
  static std::string from_pem(std::string_view certificates, std::string_view key) {
    return outcome(Identity::from_pem(certificates, key));
  }
  static std::string from_der(std::vector<Buffer> certificates, const Buffer& key) {
    const std::vector<Bytes> chain(certificates.begin(), certificates.end());
    return outcome(Identity::from_der(chain, key));
  }

  static Buffer pkcs8(EVP_PKEY* key) {
    PKCS8_PRIV_KEY_INFO* info = EVP_PKEY2PKCS8(key);
    Buffer der = test::der_of(info, i2d_PKCS8_PRIV_KEY_INFO);
    PKCS8_PRIV_KEY_INFO_free(info);
    return der;
  }

  const std::string invalid_{to_string(Errc::invalid_certificate)};
};

TEST_F(IdentityTest, SelfSignedSignsItself) {
  const Identity identity = must(Identity::self_signed(test::environment(), "häuser & co"));
  const auto* at = reinterpret_cast<const unsigned char*>(identity.certificate().data());
  const test::CertificatePtr x509(
      d2i_X509(nullptr, &at, static_cast<long>(identity.certificate().size())));
  ASSERT_TRUE(x509);
  EXPECT_EQ(X509_get_version(x509.get()), X509_VERSION_3);
  EXPECT_EQ(X509_self_signed(x509.get(), 1), 1);
  EXPECT_LT(X509_cmp_current_time(X509_get0_notBefore(x509.get())), 0);
  EXPECT_GT(X509_cmp_current_time(X509_get0_notAfter(x509.get())), 0);
  // RFC 5280 section 4.1.2.2: positive, at most 20 bytes.
  EXPECT_EQ(ASN1_STRING_length(X509_get0_serialNumber(x509.get())), 8);
  EXPECT_EQ(ASN1_STRING_type(X509_get0_serialNumber(x509.get())), V_ASN1_INTEGER);
  // RFC 8827 section 6.5: P-256.
  EXPECT_EQ(identity.credentials().type(), crypto::KeyType::ecdsa_p256);
}

TEST_F(IdentityTest, EachSelfSignedOneIsNew) {
  const Identity a = must(Identity::self_signed(test::environment()));
  const Identity b = must(Identity::self_signed(test::environment()));
  EXPECT_NE(to_hex(a.certificate()), to_hex(b.certificate()));
}

TEST_F(IdentityTest, ACommonNameThatX509CannotHoldIsAnError) {
  const auto identity = Identity::self_signed(test::environment(), std::string(65, 'x'));
  ASSERT_FALSE(identity);
  EXPECT_EQ(identity.error().code, Errc::libcrypto_failure);
  EXPECT_NE(identity.error().libcrypto, 0U);
}

TEST_F(IdentityTest, PemIsReadWithEachKindOfKey) {
  for (EVP_PKEY* key : {test::p256(), test::p384(), test::rsa2048()}) {
    EXPECT_EQ(from_pem(certificate_pem(key), key_pem(key)), "identity");
    EXPECT_EQ(from_pem(certificate_pem(key), test::traditional_key_pem(key)), "identity");
  }
}

TEST_F(IdentityTest, PemKeepsTheChainInItsOrder) {
  const std::string own = certificate_pem(test::p256());
  const std::string issuer = certificate_pem(test::p384());
  const std::string root = certificate_pem(test::rsa2048());
  const Identity identity = must(Identity::from_pem(
      "words before\n" + own + "words between\n" + issuer + "\n\n" + root, key_pem(test::p256())));
  const auto& chain = identity.credentials().chain();
  ASSERT_EQ(chain.size(), 3U);
  EXPECT_EQ(to_hex(identity.certificate()), to_hex(chain[0]));
  EXPECT_EQ(must(crypto::certificate_key(library(), chain[0])).type(), crypto::KeyType::ecdsa_p256);
  EXPECT_EQ(must(crypto::certificate_key(library(), chain[1])).type(), crypto::KeyType::ecdsa_p384);
  EXPECT_EQ(must(crypto::certificate_key(library(), chain[2])).type(), crypto::KeyType::rsa);
}

// As many as a peer of this library takes.
TEST_F(IdentityTest, AChainHasAtMost16Certificates) {
  std::string chain;
  for (int i = 0; i < 16; ++i) chain += certificate_pem(test::p256());
  EXPECT_EQ(from_pem(chain, key_pem(test::p256())), "identity");
  EXPECT_EQ(from_pem(chain + certificate_pem(test::p256()), key_pem(test::p256())), invalid_);
}

TEST_F(IdentityTest, PemThatIsNoneIsInvalid) {
  const std::string certificate = certificate_pem(test::p256());
  const std::string key = key_pem(test::p256());
  EXPECT_EQ(from_pem({}, {}), invalid_);
  EXPECT_EQ(from_pem("", ""), invalid_);
  EXPECT_EQ(from_pem(certificate, ""), invalid_);
  EXPECT_EQ(from_pem("", key), invalid_);
  EXPECT_EQ(from_pem("no PEM", key), invalid_);
  EXPECT_EQ(from_pem(certificate, "no PEM"), invalid_);
  EXPECT_EQ(from_pem(key, certificate), invalid_) << "in each other's place";
  EXPECT_EQ(from_pem(certificate.substr(0, certificate.size() / 2), key), invalid_);
  EXPECT_EQ(from_pem(certificate, key.substr(0, key.size() / 2)), invalid_);
}

TEST_F(IdentityTest, ADamagedIssuerIsNotPassedOver) {
  const std::string own = certificate_pem(test::p256());
  std::string issuer = certificate_pem(test::p384());
  issuer.replace(issuer.find('\n') + 1, 8, "////////");
  EXPECT_EQ(from_pem(own + issuer, key_pem(test::p256())), invalid_);
  const std::string cut = own + certificate_pem(test::p384()).substr(0, 200);
  EXPECT_EQ(from_pem(cut, key_pem(test::p256())), invalid_);
}

TEST_F(IdentityTest, AKeyMustBelongToItsCertificate) {
  const test::KeyPtr other = test::ec_key("P-256");
  EXPECT_EQ(from_pem(certificate_pem(test::p256()), key_pem(other.get())), invalid_);
  EXPECT_EQ(from_pem(certificate_pem(test::p256()), key_pem(test::rsa2048())), invalid_);
  EXPECT_EQ(from_pem(certificate_pem(test::p384()), key_pem(test::p256())), invalid_);
  // The key of an issuer is not the key of the identity.
  const std::string chain = certificate_pem(test::p256()) + certificate_pem(test::p384());
  EXPECT_EQ(from_pem(chain, key_pem(test::p384())), invalid_);
}

TEST_F(IdentityTest, KeysThatTheEngineDoesNotTakeAreInvalid) {
  const test::KeyPtr keys[] = {test::rsa_key(1024), test::ec_key("P-521"), test::ed448_key()};
  for (const auto& key : keys) {
    EXPECT_EQ(from_pem(certificate_pem(key.get()), key_pem(key.get())), invalid_);
  }
}

// A server has no terminal: an encrypted key is an error, not a question.
TEST_F(IdentityTest, AnEncryptedKeyIsRefusedWithoutAsking) {
  static const std::string kPassphrase = "secret";
  const auto* passphrase = reinterpret_cast<const unsigned char*>(kPassphrase.data());
  const int size = static_cast<int>(kPassphrase.size());
  const std::string pkcs8 = test::pem_of([&](BIO* bio) {
    return PEM_write_bio_PrivateKey(bio, test::p256(), EVP_aes_128_cbc(), passphrase, size, nullptr,
                                    nullptr);
  });
  const std::string traditional = test::pem_of([&](BIO* bio) {
    return PEM_write_bio_PrivateKey_traditional(bio, test::p256(), EVP_aes_128_cbc(), passphrase,
                                                size, nullptr, nullptr);
  });
  ASSERT_NE(pkcs8.find("ENCRYPTED"), std::string::npos);
  ASSERT_NE(traditional.find("ENCRYPTED"), std::string::npos);
  EXPECT_EQ(from_pem(certificate_pem(test::p256()), pkcs8), invalid_);
  EXPECT_EQ(from_pem(certificate_pem(test::p256()), traditional), invalid_);

  PKCS8_PRIV_KEY_INFO* info = EVP_PKEY2PKCS8(test::p256());
  X509_SIG* encrypted =
      PKCS8_encrypt(-1, EVP_aes_128_cbc(), kPassphrase.data(), size, nullptr, 0, 1000, info);
  PKCS8_PRIV_KEY_INFO_free(info);
  ASSERT_NE(encrypted, nullptr);
  const Buffer der = test::der_of(encrypted, i2d_X509_SIG);
  X509_SIG_free(encrypted);
  EXPECT_EQ(from_der({test::make_certificate(test::p256())}, der), invalid_);
}

TEST_F(IdentityTest, DerIsReadWithEachKindOfKey) {
  for (EVP_PKEY* key : {test::p256(), test::p384(), test::rsa2048()}) {
    const Buffer certificate = test::make_certificate(key);
    EXPECT_EQ(from_der({certificate}, pkcs8(key)), "identity");
    EXPECT_EQ(from_der({certificate}, test::der_of(key, i2d_PrivateKey)), "identity");
  }
}

TEST_F(IdentityTest, DerThatIsNoneIsInvalid) {
  const Buffer certificate = test::make_certificate(test::p256());
  const Buffer key = pkcs8(test::p256());
  EXPECT_EQ(from_der({}, key), invalid_);
  EXPECT_EQ(from_der({certificate}, {}), invalid_);
  EXPECT_EQ(from_der({{}}, key), invalid_);
  EXPECT_EQ(from_der({test::counted(100)}, key), invalid_);
  EXPECT_EQ(from_der({certificate}, test::counted(100)), invalid_);
  for (std::size_t size = 0; size < certificate.size(); size += 13) {
    EXPECT_EQ(from_der({test::copy_of(Bytes(certificate).first(size))}, key), invalid_) << size;
  }
  for (std::size_t size = 0; size < key.size(); size += 9) {
    EXPECT_EQ(from_der({certificate}, test::copy_of(Bytes(key).first(size))), invalid_) << size;
  }
}

TEST_F(IdentityTest, NothingMayFollowInDer) {
  Buffer certificate = test::make_certificate(test::p256());
  Buffer key = pkcs8(test::p256());
  certificate.push_back(std::byte{0});
  EXPECT_EQ(from_der({certificate}, key), invalid_);
  certificate.pop_back();
  key.push_back(std::byte{0});
  EXPECT_EQ(from_der({certificate}, key), invalid_);
}

// What isn't a certificate would be sent to every peer, who refuses it.
TEST_F(IdentityTest, EachOfAChainMustBeACertificate) {
  const Buffer certificate = test::make_certificate(test::p256());
  const Buffer issuer = test::make_certificate(test::p384());
  EXPECT_EQ(from_der({certificate, issuer}, pkcs8(test::p256())), "identity");
  EXPECT_EQ(from_der({certificate, {}}, pkcs8(test::p256())), invalid_);
  EXPECT_EQ(from_der({certificate, test::counted(100)}, pkcs8(test::p256())), invalid_);
}

// RFC 7250: a key alone.
TEST_F(IdentityTest, ARawPublicKeyIsReadWithEachKindOfKey) {
  for (EVP_PKEY* key : {test::p256(), test::p384(), test::rsa2048()}) {
    const Buffer info = test::der_of(key, i2d_PUBKEY);
    for (const Identity& identity : {must(Identity::raw_public_key(key_pem(key))),
                                     must(Identity::raw_public_key(Bytes(pkcs8(key)))),
                                     must(Identity::raw_public_key_elsewhere(info))}) {
      EXPECT_TRUE(identity.certificate().empty());
      EXPECT_EQ(to_hex(identity.public_key()), to_hex(info));
    }
    EXPECT_FALSE(must(Identity::raw_public_key(key_pem(key))).has_key_elsewhere());
    EXPECT_TRUE(must(Identity::raw_public_key_elsewhere(info)).has_key_elsewhere());
  }
}

TEST_F(IdentityTest, WhatIsNoKeyIsNoRawPublicKey) {
  const auto invalid = to_string(Errc::invalid_certificate);
  Buffer longer = test::der_of(test::p256(), i2d_PUBKEY);
  longer.push_back(std::byte{0});
  EXPECT_EQ(outcome(Identity::raw_public_key("no PEM")), invalid);
  EXPECT_EQ(outcome(Identity::raw_public_key(Bytes{})), invalid);
  EXPECT_EQ(outcome(Identity::raw_public_key_elsewhere(longer)), invalid);
  EXPECT_EQ(outcome(Identity::raw_public_key(key_pem(test::rsa_key(1024).get()))), invalid);
}

}  // namespace
}  // namespace sluice::dtls
