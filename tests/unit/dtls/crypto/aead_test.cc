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

// A key's second message must not go out under the nonce of its first.
TEST_P(Aead, EachMessageHasItsOwnNonce) {
  AeadSealer sealer = Aead::sealer();
  AeadOpener opener = Aead::opener();
  for (std::uint8_t i = 0; i < 4; ++i) {
    const AeadNonce nonce{std::byte{i}, std::byte{7}};
    Buffer message(30 + tag_size(GetParam()));
    ASSERT_TRUE(sealer.seal(nonce, bytes_of("header"), counted(30), message));
    Buffer alone(message.size());
    ASSERT_TRUE(Aead::sealer().seal(nonce, bytes_of("header"), counted(30), alone));
    EXPECT_EQ(to_hex(message), to_hex(alone)) << int{i};
    EXPECT_EQ(opened(message, bytes_of("header"), nonce), to_hex(counted(30))) << int{i};
    EXPECT_TRUE(opener.open(nonce, bytes_of("header"), message)) << int{i};
  }
}

// Else its records cost a quarter more.
TEST_P(Aead, GcmAndCcmHaveTlsParameters) {
  EXPECT_EQ(library().has_tls_parameters(GetParam()),
            GetParam() != AeadAlgorithm::chacha20_poly1305);
}

// Else a key of CCM costs a third more.
TEST_P(Aead, OnlyCcmHasASizedContext) {
  EXPECT_EQ(library().sized_context(GetParam()) != nullptr, is_ccm(GetParam()));
}

TEST_P(Aead, ARecordAtOneGoIsTheSame) {
  AeadSealer sealer = Aead::sealer();
  AeadOpener opener = Aead::opener();
  if (!sealer.does_records12()) GTEST_SKIP() << "ChaCha20-Poly1305 does not";
  for (const std::size_t size : {0U, 1U, 64U, 1200U, 16384U}) {
    AeadNonce nonce = kNonce;
    nonce.back() = static_cast<std::byte>(size & 0xff);
    AssociatedData12 data{};
    std::ranges::copy(Bytes(nonce).last(kExplicitNonceSize), data.begin());
    data[11] = static_cast<std::byte>(size >> 8);
    data[12] = static_cast<std::byte>(size & 0xff);
    Buffer expected(size + tag_size(GetParam()));
    ASSERT_TRUE(Aead::sealer().seal(nonce, data, counted(size), expected));
    expected.insert(expected.begin(), nonce.begin() + 4, nonce.end());

    Buffer record(kExplicitNonceSize);
    std::ranges::copy(counted(size), std::back_inserter(record));
    record.resize(expected.size());
    ASSERT_TRUE(sealer.seal_record12(nonce, data, record));
    EXPECT_EQ(to_hex(record), to_hex(expected)) << size;

    Buffer forged = record;
    forged.back() ^= std::byte{1};
    EXPECT_FALSE(opener.open_record12(nonce, data, forged));
    EXPECT_TRUE(opener.open_record12(nonce, data, record));
    EXPECT_EQ(to_hex(Bytes(record).subspan(kExplicitNonceSize, size)), to_hex(counted(size)));
  }
}

// libcrypto's CCM stays in its mode for records. Other messages would have another's nonce.
TEST_P(Aead, ACcmThatDoesRecordsDoesNothingElse) {
  AeadSealer sealer = Aead::sealer();
  AeadOpener opener = Aead::opener();
  if (!is_ccm(GetParam()) || !sealer.does_records12()) GTEST_SKIP() << "only CCM with parameters";
  Buffer record(kExplicitNonceSize + 20 + tag_size(GetParam()));
  // As long as the additional data are zeros, so is the explicit part.
  AeadNonce nonce = kNonce;
  std::ranges::fill(MutableBytes(nonce).last(kExplicitNonceSize), std::byte{0});
  ASSERT_TRUE(sealer.seal_record12(nonce, AssociatedData12{}, record));
  ASSERT_TRUE(opener.open_record12(nonce, AssociatedData12{}, record));
  const Buffer before = counted(20 + tag_size(GetParam()));
  Buffer in_place = before;
  EXPECT_FALSE(sealer.seal(kNonce, bytes_of("header"), Bytes(in_place).first(20), in_place));
  EXPECT_EQ(to_hex(in_place), to_hex(before));
  Buffer good = sealed(counted(20));
  EXPECT_FALSE(opener.open(kNonce, bytes_of("header"), good));
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
