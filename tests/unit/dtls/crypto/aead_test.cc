// Vectors are in tests/kat/dtls.
#include "crypto/aead.h"

#include "unit/dtls/crypto/crypto_test.h"

namespace sluice::dtls::crypto {
namespace {

using test::bytes_of;
using test::counted;
using test::must;
using test::to_hex;

class Aead : public test::CryptoTest, public testing::WithParamInterface<AeadAlgorithm> {
 protected:
  [[nodiscard]] static AeadSealer sealer() {
    return must(AeadSealer::make(library(), GetParam(), counted(key_size(GetParam()))));
  }
  [[nodiscard]] static AeadOpener opener() {
    return must(AeadOpener::make(library(), GetParam(), counted(key_size(GetParam()))));
  }
  [[nodiscard]] static Buffer sealed(Bytes plaintext, Bytes associated_data = bytes_of("header")) {
    Buffer out(plaintext.size() + tag_size(GetParam()));
    EXPECT_TRUE(sealer().seal(kNonce, associated_data, plaintext, out));
    return out;
  }
  [[nodiscard]] static std::string opened(Buffer bytes, Bytes associated_data = bytes_of("header"),
                                          const AeadNonce& nonce = kNonce) {
    if (!opener().open(nonce, associated_data, bytes)) return "refused";
    return to_hex(Bytes(bytes).first(bytes.size() - tag_size(GetParam())));
  }

  static constexpr AeadNonce kNonce{std::byte{1}, std::byte{2}, std::byte{3}};
};

TEST_P(Aead, OpensWhatItSealed) {
  for (const std::size_t size : {0U, 1U, 15U, 16U, 17U, 63U, 64U, 65U, 1200U, 16384U}) {
    const Buffer plaintext = counted(size);
    EXPECT_EQ(opened(sealed(plaintext)), to_hex(plaintext)) << size;
  }
}

TEST_P(Aead, AssociatedDataMayBeEmpty) {
  EXPECT_EQ(opened(sealed(counted(20), {}), {}), to_hex(counted(20)));
  EXPECT_EQ(opened(sealed({}, {}), {}), "");
  EXPECT_EQ(opened(sealed(counted(20), {})), "refused");
}

TEST_P(Aead, SealsInPlace) {
  Buffer in_place = counted(100 + tag_size(GetParam()));
  ASSERT_TRUE(sealer().seal(kNonce, bytes_of("header"), Bytes(in_place).first(100), in_place));
  EXPECT_EQ(to_hex(in_place), to_hex(sealed(counted(100))));
}

TEST_P(Aead, RefusesWhateverWasChanged) {
  const Buffer good = sealed(counted(40));
  for (std::size_t i = 0; i < good.size(); ++i) {
    Buffer bad = good;
    bad[i] ^= std::byte{0x80};
    EXPECT_EQ(opened(bad), "refused") << i;
  }
  EXPECT_EQ(opened(good, bytes_of("Header")), "refused");
  EXPECT_EQ(opened(good, bytes_of("header ")), "refused");
  AeadNonce other = kNonce;
  other.back() = std::byte{1};
  EXPECT_EQ(opened(good, bytes_of("header"), other), "refused");
}

TEST_P(Aead, RefusesWhatIsShorterThanATag) {
  const Buffer good = sealed(counted(1));
  for (std::size_t size = 0; size <= tag_size(GetParam()); ++size) {
    EXPECT_EQ(opened(test::copy_of(Bytes(good).first(size))), "refused") << size;
  }
}

TEST_P(Aead, ARefusalDoesNotSpoilTheNext) {
  AeadOpener opener = Aead::opener();
  Buffer bad = sealed(counted(40));
  bad.front() ^= std::byte{1};
  EXPECT_FALSE(opener.open(kNonce, bytes_of("header"), bad));
  Buffer good = sealed(counted(40));
  EXPECT_TRUE(opener.open(kNonce, bytes_of("header"), good));
}

TEST_P(Aead, AKeyHasOneSize) {
  for (const std::size_t size :
       {std::size_t{0}, key_size(GetParam()) - 1, key_size(GetParam()) + 1}) {
    const auto sealer = AeadSealer::make(library(), GetParam(), counted(size));
    ASSERT_FALSE(sealer) << size;
    EXPECT_EQ(sealer.error().code, Errc::libcrypto_failure);
    EXPECT_FALSE(AeadOpener::make(library(), GetParam(), counted(size))) << size;
  }
}

INSTANTIATE_TEST_SUITE_P(Algorithms, Aead,
                         testing::Values(AeadAlgorithm::aes_128_gcm, AeadAlgorithm::aes_256_gcm,
                                         AeadAlgorithm::chacha20_poly1305,
                                         AeadAlgorithm::aes_128_ccm, AeadAlgorithm::aes_256_ccm,
                                         AeadAlgorithm::aes_128_ccm_8,
                                         AeadAlgorithm::aes_256_ccm_8));

}  // namespace
}  // namespace sluice::dtls::crypto
