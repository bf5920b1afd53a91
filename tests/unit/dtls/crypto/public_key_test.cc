#include "crypto/public_key.h"

#include <openssl/core_names.h>
#include <openssl/rsa.h>

#include <memory>

#include "crypto/failure.h"
#include "unit/dtls/crypto/certificates.h"
#include "unit/dtls/crypto/crypto_test.h"

namespace sluice::dtls::crypto {
namespace {

using test::bytes_of;
using test::must;

constexpr std::array kSchemes{
    SignatureScheme::rsa_pkcs1_sha256,       SignatureScheme::rsa_pkcs1_sha384,
    SignatureScheme::rsa_pkcs1_sha512,       SignatureScheme::ecdsa_secp256r1_sha256,
    SignatureScheme::ecdsa_secp384r1_sha384, SignatureScheme::rsa_pss_rsae_sha256,
    SignatureScheme::rsa_pss_rsae_sha384,    SignatureScheme::rsa_pss_rsae_sha512};

struct NamedKey {
  KeyType type;
  EVP_PKEY* (*key)();
  bool by_point = false;  // as a certificate's is read
};
constexpr std::array kKeys{
    NamedKey{KeyType::ecdsa_p256, test::p256}, NamedKey{KeyType::ecdsa_p256, test::p256, true},
    NamedKey{KeyType::ecdsa_p384, test::p384}, NamedKey{KeyType::rsa, test::rsa2048}};

PublicKey by_point(const EVP_PKEY* key) {
  std::array<std::byte, kP256PointSize> point{};
  std::size_t size = 0;
  EXPECT_EQ(EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY,
                                            octets(MutableBytes(point)), point.size(), &size),
            1);
  return PublicKey(point);
}

PublicKey public_key(const NamedKey& named) {
  EVP_PKEY* key = named.key();
  if (named.by_point) return by_point(key);
  EVP_PKEY_up_ref(key);
  return {named.type, KeyPtr(key)};
}

class Signatures : public test::CryptoTest, public testing::WithParamInterface<NamedKey> {
 protected:
  static Result<Buffer> sign(SignatureScheme scheme, std::string_view data = "data") {
    return crypto::sign(library(), GetParam().key(), scheme, bytes_of(data));
  }
  static bool verifies(SignatureScheme scheme, Bytes signature, std::string_view data = "data") {
    const auto verified =
        public_key(GetParam()).verify(library(), scheme, bytes_of(data), signature);
    EXPECT_EQ(ERR_peek_error(), 0U);
    if (verified) return true;
    EXPECT_EQ(verified.error().code, Errc::bad_signature);
    EXPECT_EQ(verified.error().alert, Alert::decrypt_error);
    return false;
  }
};

TEST_P(Signatures, EachFittingSchemeSignsAndVerifies) {
  int fitting = 0;
  for (const SignatureScheme scheme : kSchemes) {
    if (!can_sign12(scheme, GetParam().type)) continue;
    ++fitting;
    const Buffer signature = must(sign(scheme));
    EXPECT_TRUE(verifies(scheme, signature)) << to_string(scheme);
    EXPECT_FALSE(verifies(scheme, signature, "other")) << to_string(scheme);
    EXPECT_FALSE(verifies(scheme, signature, "")) << to_string(scheme);
  }
  EXPECT_EQ(fitting, GetParam().type == KeyType::rsa ? 6 : 2);
}

TEST_P(Signatures, AreOfTheirSchemeOnly) {
  for (const SignatureScheme made : kSchemes) {
    if (!can_sign12(made, GetParam().type)) continue;
    const Buffer signature = must(sign(made));
    for (const SignatureScheme said : kSchemes) {
      EXPECT_EQ(verifies(said, signature), made == said)
          << to_string(made) << " as " << to_string(said);
    }
  }
}

TEST_P(Signatures, NoSchemeOfAnotherKindOfKeyIsUsed) {
  for (const SignatureScheme scheme : kSchemes) {
    EXPECT_EQ(sign(scheme).has_value(), can_sign12(scheme, GetParam().type)) << to_string(scheme);
  }
}

TEST_P(Signatures, AnUnknownSchemeIsRefused) {
  const SignatureScheme sha1{GetParam().type == KeyType::rsa ? std::uint16_t{0x0201}
                                                             : std::uint16_t{0x0203}};
  EXPECT_FALSE(can_sign12(sha1, GetParam().type));
  EXPECT_FALSE(sign(sha1));
  for (const SignatureScheme scheme : kSchemes) {
    if (!can_sign12(scheme, GetParam().type)) continue;
    // Whatever digest a key has by default, it must not stand in for one that was not named.
    EXPECT_FALSE(verifies(sha1, must(sign(scheme)))) << to_string(scheme);
  }
}

TEST_P(Signatures, ADamagedOneDoesNotVerify) {
  const auto scheme = GetParam().type == KeyType::rsa ? SignatureScheme::rsa_pss_rsae_sha256
                                                      : SignatureScheme::ecdsa_secp256r1_sha256;
  const Buffer good = must(sign(scheme));
  ASSERT_TRUE(verifies(scheme, good));
  for (std::size_t i = 0; i < good.size(); ++i) {
    Buffer bad = good;
    bad[i] ^= std::byte{1};
    EXPECT_FALSE(verifies(scheme, bad)) << i;
  }
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(verifies(scheme, test::copy_of(Bytes(good).first(size)))) << size;
  }
  Buffer longer = good;
  longer.push_back(std::byte{0});
  EXPECT_FALSE(verifies(scheme, longer));
}

INSTANTIATE_TEST_SUITE_P(Keys, Signatures, testing::ValuesIn(kKeys), [](const auto& param_info) {
  return std::string(param_info.param.by_point                      ? "P256Point"
                     : param_info.param.type == KeyType::rsa        ? "Rsa"
                     : param_info.param.type == KeyType::ecdsa_p256 ? "P256"
                                                                    : "P384");
});

using KeysInTurn = test::CryptoTest;

// What the Library keeps of one key is of no use to another's signatures.
TEST_F(KeysInTurn, EachSignsAndVerifiesForItself) {
  constexpr auto kScheme = SignatureScheme::ecdsa_secp256r1_sha256;
  const std::array keys{test::ec_key("P-256"), test::ec_key("P-256")};
  const std::array peers{by_point(keys[0].get()), by_point(keys[1].get())};
  for (int i = 0; i < 3; ++i) {
    for (const std::size_t own : {0U, 1U}) {
      const Buffer signature = must(sign(library(), keys[own].get(), kScheme, bytes_of("data")));
      EXPECT_TRUE(peers[own].verify(library(), kScheme, bytes_of("data"), signature));
      EXPECT_FALSE(peers[1 - own].verify(library(), kScheme, bytes_of("data"), signature));
    }
  }
}

using PssSalt = test::CryptoTest;

// RFC 8446 section 4.2.3.
TEST_F(PssSalt, IsAsLongAsTheDigest) {
  const Bytes data = bytes_of("data");
  for (const int salt : {0, 31, 32, 33}) {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                          EVP_MD_CTX_free);
    EVP_PKEY_CTX* parameters = nullptr;  // the context's
    ASSERT_EQ(
        EVP_DigestSignInit(context.get(), &parameters, EVP_sha256(), nullptr, test::rsa2048()), 1);
    ASSERT_EQ(EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING), 1);
    ASSERT_EQ(EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, salt), 1);
    Buffer signature(256);
    std::size_t size = signature.size();
    ASSERT_EQ(EVP_DigestSign(context.get(), octets(MutableBytes(signature)), &size, octets(data),
                             data.size()),
              1);
    const auto verified =
        public_key({KeyType::rsa, test::rsa2048})
            .verify(library(), SignatureScheme::rsa_pss_rsae_sha256, data, signature);
    EXPECT_EQ(verified.has_value(), salt == 32) << salt;
  }
}

using KeyTypes = test::CryptoTest;

// RFC 8422 section 5.1.1: in TLS 1.2 an ECDSA scheme names a hash; any curve goes with it.
TEST_F(KeyTypes, EcdsaSchemesFitBothCurvesInDtls12) {
  for (const KeyType type : {KeyType::ecdsa_p256, KeyType::ecdsa_p384}) {
    EXPECT_TRUE(can_sign12(SignatureScheme::ecdsa_secp256r1_sha256, type));
    EXPECT_TRUE(can_sign12(SignatureScheme::ecdsa_secp384r1_sha384, type));
    EXPECT_FALSE(can_sign12(SignatureScheme::rsa_pkcs1_sha256, type));
    EXPECT_FALSE(can_sign12(SignatureScheme::rsa_pss_rsae_sha256, type));
  }
  EXPECT_FALSE(can_sign12(SignatureScheme::ecdsa_secp256r1_sha256, KeyType::rsa));
}

TEST_F(KeyTypes, AreThoseThatTheEngineTakes) {
  EXPECT_EQ(must(key_type(test::p256())), KeyType::ecdsa_p256);
  EXPECT_EQ(must(key_type(test::p384())), KeyType::ecdsa_p384);
  EXPECT_EQ(must(key_type(test::rsa2048())), KeyType::rsa);
}

TEST_F(KeyTypes, OthersAndShortRsaKeysAreUnsupported) {
  const KeyPtr keys[] = {test::rsa_key(1024), test::rsa_key(2040), test::ec_key("P-521"),
                         test::ec_key("secp256k1"), test::ed448_key()};
  for (const KeyPtr& key : keys) {
    ASSERT_TRUE(key);
    const auto type = key_type(key.get());
    ASSERT_FALSE(type) << EVP_PKEY_get0_type_name(key.get()) << EVP_PKEY_get_bits(key.get());
    EXPECT_EQ(type.error().code, Errc::unsupported_certificate);
    EXPECT_EQ(type.error().alert, Alert::unsupported_certificate);
  }
}

// A key of one library context signs in another: an Identity is made once for all Environments.
TEST_F(KeyTypes, KeysServeInEveryEnvironment) {
  test::SeededRandom random(1);
  auto other = must(Environment::make({.random = &random}));
  for (const NamedKey& named : kKeys) {
    const auto scheme = named.type == KeyType::rsa ? SignatureScheme::rsa_pss_rsae_sha256
                                                   : SignatureScheme::ecdsa_secp256r1_sha256;
    const Buffer signature = must(sign(other.library(), named.key(), scheme, bytes_of("data")));
    EXPECT_TRUE(public_key(named).verify(library(), scheme, bytes_of("data"), signature));
    EXPECT_TRUE(public_key(named).verify(other.library(), scheme, bytes_of("data"), signature));
  }
}

}  // namespace
}  // namespace sluice::dtls::crypto
