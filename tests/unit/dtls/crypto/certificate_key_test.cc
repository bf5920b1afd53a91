// The walk to a certificate's key, against d2i_X509.
#include "crypto/certificate_key.h"

#include "crypto/credentials.h"

#include "unit/dtls/crypto/certificates.h"
#include "unit/dtls/crypto/crypto_test.h"

namespace sluice::dtls::crypto {
namespace {

using test::bytes_of;
using test::make_certificate;
using test::must;
using test::to_hex;

class CertificateKey : public test::CryptoTest {
 protected:
  // Whether it is the public half of `key`.
  static bool belongs(const PublicKey& found, EVP_PKEY* key) {
    const auto scheme = found.type() == KeyType::rsa ? SignatureScheme::rsa_pss_rsae_sha256
                                                     : SignatureScheme::ecdsa_secp256r1_sha256;
    const Buffer signature = must(sign(library(), key, scheme, bytes_of("data")));
    return found.verify(library(), scheme, bytes_of("data"), signature).has_value();
  }
  static std::string verdict(const Result<PublicKey>& key) {
    EXPECT_EQ(ERR_peek_error(), 0U);
    return key ? "key" : std::string(to_string(key.error().code));
  }
  static std::string by_walk(const Buffer& certificate) {
    return verdict(certificate_key(library(), certificate));
  }
  static std::string by_x509(const Buffer& certificate) {
    return verdict(certificate_key_by_x509(library(), certificate));
  }
};

TEST_F(CertificateKey, IsThatOfTheCertificate) {
  struct Case {
    EVP_PKEY* key;
    KeyType type;
  };
  for (const auto& [key, type] :
       {Case{test::p256(), KeyType::ecdsa_p256}, Case{test::p384(), KeyType::ecdsa_p384},
        Case{test::rsa2048(), KeyType::rsa}}) {
    for (const long version : {X509_VERSION_1, X509_VERSION_3}) {
      for (const bool extensions : {false, true}) {
        if (extensions && version == X509_VERSION_1) continue;
        const Buffer certificate =
            make_certificate(key, {.version = version, .extensions = extensions});
        const PublicKey walked = must(certificate_key(library(), certificate));
        EXPECT_EQ(walked.type(), type);
        EXPECT_TRUE(belongs(walked, key));
        EXPECT_TRUE(belongs(must(certificate_key_by_x509(library(), certificate)), key));
      }
    }
  }
}

TEST_F(CertificateKey, OfSelfSignedIdentitiesIsFound) {
  const Identity identity = must(Identity::self_signed(test::environment()));
  const PublicKey key = must(certificate_key(library(), identity.certificate()));
  EXPECT_EQ(key.type(), KeyType::ecdsa_p256);
  const Buffer signature = must(identity.credentials().sign(
      library(), SignatureScheme::ecdsa_secp256r1_sha256, bytes_of("data")));
  EXPECT_TRUE(
      key.verify(library(), SignatureScheme::ecdsa_secp256r1_sha256, bytes_of("data"), signature));
}

TEST_F(CertificateKey, TheWalkFindsWhatD2iFinds) {
  for (EVP_PKEY* key : {test::p256(), test::p384(), test::rsa2048()}) {
    for (const long version : {X509_VERSION_1, X509_VERSION_3}) {
      const CertificatePtr x509 = test::make_x509(key, {.version = version});
      const Buffer certificate = test::der_of(x509.get(), i2d_X509);
      const auto info = subject_public_key_info(certificate);
      ASSERT_TRUE(info);
      EXPECT_EQ(to_hex(*info),
                to_hex(test::der_of(X509_get_X509_PUBKEY(x509.get()), i2d_X509_PUBKEY)));
    }
  }
}

TEST_F(CertificateKey, CutAnywhereIsNoCertificate) {
  for (EVP_PKEY* key : {test::p256(), test::rsa2048()}) {
    const Buffer whole = make_certificate(key);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const Buffer cut = test::copy_of(Bytes(whole).first(size));
      EXPECT_EQ(by_walk(cut), by_x509(cut)) << size;
      EXPECT_EQ(by_walk(cut), to_string(Errc::invalid_certificate)) << size;
      EXPECT_FALSE(subject_public_key_info(cut)) << size;
    }
  }
}

TEST_F(CertificateKey, NothingMayFollowIt) {
  for (EVP_PKEY* key : {test::p256(), test::p384(), test::rsa2048()}) {
    Buffer longer = make_certificate(key);
    longer.push_back(std::byte{0});
    EXPECT_EQ(by_walk(longer), to_string(Errc::invalid_certificate));
    EXPECT_FALSE(subject_public_key_info(longer));
  }
}

// The walk never looks at most of a certificate, so it may take one that d2i_X509 refuses: the
// fingerprint covers those bytes. But it must not find another key than d2i_X509 does.
TEST_F(CertificateKey, ADamagedByteGivesTheSameKeyOrNone) {
  const Buffer whole = make_certificate(test::p256(), {.extensions = true});
  int keys = 0;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    for (const unsigned flip : {0x01U, 0x80U}) {
      Buffer damaged = whole;
      damaged[i] ^= static_cast<std::byte>(flip);
      const auto walked = certificate_key(library(), damaged);
      const auto parsed = certificate_key_by_x509(library(), damaged);
      EXPECT_EQ(ERR_peek_error(), 0U) << i;
      if (!walked || !parsed) continue;
      ++keys;
      EXPECT_EQ(belongs(*walked, test::p256()), belongs(*parsed, test::p256())) << i;
    }
  }
  EXPECT_GT(keys, 0);
}

// DER has definite lengths only; BER's "until the end mark" is not for the walk.
TEST_F(CertificateKey, IndefiniteLengthsAreNotWalked) {
  const Buffer whole = make_certificate(test::p256());
  ASSERT_EQ(to_hex(Bytes(whole).first(2)), "3082");
  Buffer indefinite = test::from_hex("3080");
  indefinite.insert(indefinite.end(), whole.begin() + 4, whole.end());
  indefinite.insert(indefinite.end(), 2, std::byte{0});
  EXPECT_FALSE(subject_public_key_info(indefinite));
  EXPECT_EQ(by_walk(indefinite), by_x509(indefinite));
}

TEST_F(CertificateKey, LengthsBeyondTheEndAreNotFollowed) {
  for (const auto* const hex :
       {"", "30", "3000", "3080", "30ff", "3081ff", "30820100", "30847fffffff",
        "3088ffffffffffffffff", "30898000000000000000 00", "1f8080808000", "3002 3000",
        "3004 3000 3000", "3006 3000 3000 0300"}) {
    const Buffer bytes = test::from_hex(hex);
    EXPECT_FALSE(subject_public_key_info(bytes)) << hex;
    EXPECT_EQ(by_walk(bytes), to_string(Errc::invalid_certificate)) << hex;
  }
}

TEST_F(CertificateKey, APointOffTheCurveIsRefused) {
  Buffer certificate = make_certificate(test::p256());
  const auto info = subject_public_key_info(certificate);
  ASSERT_TRUE(info);
  const auto end = static_cast<std::size_t>(info->data() + info->size() - certificate.data());
  certificate[end - 1] ^= std::byte{1};
  EXPECT_EQ(by_walk(certificate), to_string(Errc::invalid_certificate));
  EXPECT_NE(by_x509(certificate), "key");
  // The next good one is not harmed.
  EXPECT_EQ(by_walk(make_certificate(test::p256())), "key");
}

// A form that doesn't have the fixed prefix goes to d2i_X509, whose verdict it is.
TEST_F(CertificateKey, OtherFormsOfP256KeysAreX509s) {
  const KeyPtr compressed = test::ec_key("P-256");
  ASSERT_EQ(EVP_PKEY_set_utf8_string_param(compressed.get(), "point-format", "compressed"), 1);
  const Buffer certificate = make_certificate(compressed.get());
  EXPECT_EQ(by_walk(certificate), by_x509(certificate));
}

TEST_F(CertificateKey, KeysThatTheEngineDoesNotTakeAreUnsupported) {
  const KeyPtr keys[] = {test::rsa_key(1024), test::ec_key("P-521"), test::ec_key("secp256k1"),
                         test::ed448_key()};
  for (const KeyPtr& key : keys) {
    const auto found = certificate_key(library(), make_certificate(key.get()));
    ASSERT_FALSE(found) << EVP_PKEY_get0_type_name(key.get());
    EXPECT_EQ(found.error().code, Errc::unsupported_certificate);
    EXPECT_EQ(found.error().alert, Alert::unsupported_certificate);
  }
}

// RFC 7250 section 3: the DER encoding of SubjectPublicKeyInfo, and nothing else.
class RawPublicKey : public CertificateKey {
 protected:
  static Buffer info_of(EVP_PKEY* key) { return test::der_of(key, i2d_PUBKEY); }
  static std::string raw(const Buffer& info) { return verdict(raw_public_key(library(), info)); }
};

TEST_F(RawPublicKey, EveryKindOfKeyIsRead) {
  for (EVP_PKEY* key : {test::p256(), test::p384(), test::rsa2048()}) {
    const Buffer info = info_of(key);
    const PublicKey read = must(raw_public_key(library(), info));
    EXPECT_TRUE(key == test::p384() || belongs(read, key));
    EXPECT_EQ(must(public_key_info(key)), info);
    EXPECT_EQ(test::copy_of(*subject_public_key_info(make_certificate(key))), info);
  }
}

TEST_F(RawPublicKey, CutOrLongerItIsNone) {
  for (EVP_PKEY* key : {test::p256(), test::rsa2048()}) {
    const Buffer whole = info_of(key);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      EXPECT_EQ(raw(test::copy_of(Bytes(whole).first(size))), to_string(Errc::invalid_certificate));
    }
    Buffer longer = whole;
    longer.push_back(std::byte{0});
    EXPECT_EQ(raw(longer), to_string(Errc::invalid_certificate));
  }
}

// A length in more bytes than it needs is BER.
TEST_F(RawPublicKey, OnlyDerIsOne) {
  Buffer info = info_of(test::p384());
  ASSERT_EQ(to_hex(Bytes(info).first(2)), "3076");
  Buffer longer = test::from_hex("308176");
  longer.insert(longer.end(), info.begin() + 2, info.end());
  EXPECT_EQ(raw(longer), to_string(Errc::invalid_certificate));
}

TEST_F(RawPublicKey, APointOffTheCurveIsRefused) {
  for (EVP_PKEY* key : {test::p256(), test::p384()}) {
    Buffer info = info_of(key);
    info.back() ^= std::byte{1};
    EXPECT_EQ(raw(info), to_string(Errc::invalid_certificate));
  }
}

TEST_F(RawPublicKey, KeysThatTheEngineDoesNotTakeAreUnsupported) {
  const KeyPtr keys[] = {test::rsa_key(1024), test::ec_key("P-521"), test::ed448_key()};
  for (const KeyPtr& key : keys) {
    EXPECT_EQ(raw(info_of(key.get())), to_string(Errc::unsupported_certificate));
  }
}

}  // namespace
}  // namespace sluice::dtls::crypto
