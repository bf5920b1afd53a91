// X25519MLKEM768 against its two halves, each done by libcrypto alone: ML-KEM comes first in the
// shares and in the secret (draft-ietf-tls-ecdhe-mlkem).
#include "crypto/key_exchange.h"
#include "support/hybrid.h"
#include "unit/dtls/crypto/crypto_test.h"

namespace sluice::dtls::crypto {
namespace {

using test::joined;
using test::must;
using test::to_hex;

constexpr auto kHybrid = NamedGroup::x25519_mlkem768;
constexpr std::size_t kKeySize = 1184;         // FIPS 203 section 8, table 3
constexpr std::size_t kCiphertextSize = 1088;  // the same
constexpr std::size_t kX25519Size = 32;

const unsigned char* raw(Bytes bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
unsigned char* raw(Buffer& bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }

class HybridKeyExchange : public test::CryptoTest {
 protected:
  void SetUp() override {
    CryptoTest::SetUp();
    SLUICE_NEEDS_HYBRID();
  }

  static KeyPtr make_key(const char* name) {
    return KeyPtr(EVP_PKEY_Q_keygen(library().context(), nullptr, name));
  }
  static KeyPtr public_key(const char* name, Bytes encoding) {
    return KeyPtr(EVP_PKEY_new_raw_public_key_ex(library().context(), name, nullptr, raw(encoding),
                                                 encoding.size()));
  }
  static Buffer encoding_of(const KeyPtr& key) {
    std::size_t size = 0;
    EXPECT_EQ(EVP_PKEY_get_raw_public_key(key.get(), nullptr, &size), 1);
    Buffer encoding(size);
    EXPECT_EQ(EVP_PKEY_get_raw_public_key(key.get(), raw(encoding), &size), 1);
    return encoding;
  }
  static KeyContextPtr context_of(const KeyPtr& key) {
    return KeyContextPtr(EVP_PKEY_CTX_new_from_pkey(library().context(), key.get(), nullptr));
  }
  static Buffer x25519(const KeyPtr& own, Bytes peer) {
    const auto context = context_of(own);
    const auto peer_key = public_key("X25519", peer);
    Buffer secret(kX25519Size);
    std::size_t size = secret.size();
    EXPECT_EQ(EVP_PKEY_derive_init(context.get()), 1);
    EXPECT_EQ(EVP_PKEY_derive_set_peer(context.get(), peer_key.get()), 1);
    EXPECT_EQ(EVP_PKEY_derive(context.get(), raw(secret), &size), 1);
    return secret;
  }
  static Buffer point_of_low_order() { return Buffer(kX25519Size); }
};

TEST_F(HybridKeyExchange, TheFirstToSpeakAgreesWithTheHalves) {
  const auto key = must(EphemeralKey::generate(library(), kHybrid));
  const KeyShare share = must(key.share());
  const auto mlkem = public_key("ML-KEM-768", share.bytes().first(kKeySize));
  ASSERT_TRUE(mlkem);
  Buffer ciphertext(kCiphertextSize);
  Buffer mlkem_secret(32);
  std::size_t ciphertext_size = ciphertext.size();
  std::size_t secret_size = mlkem_secret.size();
  const auto context = context_of(mlkem);
  ASSERT_EQ(EVP_PKEY_encapsulate_init(context.get(), nullptr), 1);
  ASSERT_EQ(EVP_PKEY_encapsulate(context.get(), raw(ciphertext), &ciphertext_size,
                                 raw(mlkem_secret), &secret_size),
            1);
  const auto own = make_key("X25519");
  const Buffer curve_secret = x25519(own, share.bytes().subspan(kKeySize));

  const auto secret = must(key.derive(library(), joined({ciphertext, encoding_of(own)})));
  EXPECT_EQ(to_hex(secret.bytes()), to_hex(joined({mlkem_secret, curve_secret})));
}

TEST_F(HybridKeyExchange, WhoAnswersAgreesWithTheHalves) {
  const auto mlkem = make_key("ML-KEM-768");
  const auto curve = make_key("X25519");
  const auto made = must(EphemeralKey::encapsulate(
      library(), kHybrid, joined({encoding_of(mlkem), encoding_of(curve)})));
  const Bytes ciphertext = made.share.bytes().first(kCiphertextSize);
  Buffer mlkem_secret(32);
  std::size_t size = mlkem_secret.size();
  const auto context = context_of(mlkem);
  ASSERT_EQ(EVP_PKEY_decapsulate_init(context.get(), nullptr), 1);
  ASSERT_EQ(EVP_PKEY_decapsulate(context.get(), raw(mlkem_secret), &size, raw(ciphertext),
                                 ciphertext.size()),
            1);
  const Buffer curve_secret = x25519(curve, made.share.bytes().subspan(kCiphertextSize));
  EXPECT_EQ(to_hex(made.secret.bytes()), to_hex(joined({mlkem_secret, curve_secret})));
}

// FIPS 203 section 7.2: coefficients of an encapsulation key lie below q = 3329.
TEST_F(HybridKeyExchange, RefusesACoefficientThatIsOutOfRange) {
  const auto key = must(EphemeralKey::generate(library(), kHybrid));
  const Buffer good = test::copy_of(must(key.share()).bytes());
  EXPECT_TRUE(EphemeralKey::encapsulate(library(), kHybrid, good));
  // The first and the last: 12 bits each, the low ones first.
  const auto with_coefficient = [&](std::size_t number, unsigned value) {
    Buffer share = good;
    std::byte* at = share.data() + number / 2 * 3;
    if (number % 2 == 0) {
      at[0] = static_cast<std::byte>(value & 0xff);
      at[1] = (at[1] & std::byte{0xf0}) | static_cast<std::byte>(value >> 8);
    } else {
      at[1] = (at[1] & std::byte{0x0f}) | static_cast<std::byte>((value & 0xf) << 4);
      at[2] = static_cast<std::byte>(value >> 4);
    }
    return EphemeralKey::encapsulate(library(), kHybrid, share);
  };
  for (const std::size_t number : {0U, 1U, 767U}) {
    EXPECT_TRUE(with_coefficient(number, 3328)) << number;
    for (const unsigned value : {3329U, 4095U}) {
      const auto made = with_coefficient(number, value);
      ASSERT_FALSE(made) << number << ": " << value;
      EXPECT_EQ(made.error().code, Errc::bad_key_share);
      EXPECT_EQ(made.error().alert, Alert::illegal_parameter);
    }
  }
}

// RFC 7748 section 6.1, in either half's place.
TEST_F(HybridKeyExchange, RefusesAnAllZeroSecretOfX25519) {
  const auto key = must(EphemeralKey::generate(library(), kHybrid));
  const KeyShare share = must(key.share());
  const auto made = must(EphemeralKey::encapsulate(library(), kHybrid, share.bytes()));
  const auto refused = EphemeralKey::encapsulate(
      library(), kHybrid, joined({share.bytes().first(kKeySize), point_of_low_order()}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().alert, Alert::illegal_parameter);
  const auto not_derived = key.derive(
      library(), joined({made.share.bytes().first(kCiphertextSize), point_of_low_order()}));
  ASSERT_FALSE(not_derived);
  EXPECT_EQ(not_derived.error().alert, Alert::illegal_parameter);
}

// FIPS 203 section 6.3: that it isn't ours shows only in the secret.
TEST_F(HybridKeyExchange, ADamagedCiphertextGivesAnotherSecret) {
  const auto key = must(EphemeralKey::generate(library(), kHybrid));
  const auto made = must(EphemeralKey::encapsulate(library(), kHybrid, must(key.share()).bytes()));
  Buffer damaged = test::copy_of(made.share.bytes());
  damaged.front() ^= std::byte{1};
  const auto secret = must(key.derive(library(), damaged));
  EXPECT_NE(to_hex(secret.bytes().first(32)), to_hex(made.secret.bytes().first(32)));
  EXPECT_EQ(to_hex(secret.bytes().subspan(32)), to_hex(made.secret.bytes().subspan(32)));
}

}  // namespace
}  // namespace sluice::dtls::crypto
