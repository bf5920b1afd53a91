// Records against ones computed by plain EVP: no published DTLS 1.2 record vectors are known.
#include "record/protection12.h"

#include <gtest/gtest.h>

#include "support/endpoints.h"
#include "unit/dtls/record/reference_aead.h"

namespace sluice::dtls::record {
namespace {

using crypto::AeadAlgorithm;
using test::from_hex;
using test::must;
using test::to_hex;

struct Cipher {
  AeadAlgorithm aead;
  std::string name;
  std::size_t iv_size;
};

class Protection12 : public testing::TestWithParam<Cipher> {
 protected:
  [[nodiscard]] ProtectionKey12 key() const { return {GetParam().aead, key_, iv_}; }
  [[nodiscard]] Sealer12 sealer() const {
    return must(Sealer12::make(test::environment().library(), key()));
  }
  [[nodiscard]] Opener12 opener() const {
    return must(Opener12::make(test::environment().library(), key()));
  }
  [[nodiscard]] bool is_gcm() const { return GetParam().iv_size == 4; }
  [[nodiscard]] std::size_t overhead() const { return 13 + (is_gcm() ? 8 : 0) + 16; }

  [[nodiscard]] Buffer reference(const test::ReferenceRecord& record, Bytes plaintext) const {
    return is_gcm() ? test::reference_gcm(GetParam().name, key_, iv_, record, plaintext)
                    : test::reference_chacha20(key_, iv_, record, plaintext);
  }

  [[nodiscard]] std::optional<Buffer> open(Buffer record) const {
    Opener12 opener = this->opener();
    const auto header = Header12::decode(record);
    if (!header) return std::nullopt;
    const auto plaintext = opener.open(*header, record);
    return plaintext ? std::optional(test::copy_of(*plaintext)) : std::nullopt;
  }

  static Header12 header(std::uint64_t sequence) {
    return {wire::ContentType::application_data, ProtocolVersion::dtls12,
            wire::kFirstEncryptedEpoch12, wire::SequenceNumber{sequence}, 0};
  }

  Buffer key_ = test::counted(key_size(GetParam().aead));
  Buffer iv_ = Buffer(GetParam().iv_size, std::byte{0xa5});
};

TEST_P(Protection12, SealsWhatTheReferenceSeals) {
  const Buffer plaintext = test::counted(77);
  Buffer out(plaintext.size() + overhead());
  const auto size = sealer().seal(header(0x010203040506), plaintext, out);
  ASSERT_TRUE(size);
  EXPECT_EQ(*size, out.size());
  EXPECT_EQ(to_hex(out), to_hex(reference({.number = "0001 010203040506"}, plaintext)));
}

TEST_P(Protection12, TypeEpochAndVersionGoIntoTheRecord) {
  Header12 header = Protection12::header(9);
  header.type = wire::ContentType::alert;
  header.epoch = wire::Epoch{0x0203};
  Buffer out(2 + overhead());
  ASSERT_TRUE(sealer().seal(header, from_hex("022a"), out));
  EXPECT_EQ(to_hex(out),
            to_hex(reference({.type = "15", .number = "0203 000000000009"}, from_hex("022a"))));
}

TEST_P(Protection12, OpensWhatTheReferenceSealed) {
  for (const std::size_t size : {0U, 1U, 15U, 16U, 17U, 1200U, 16384U}) {
    const Buffer plaintext = test::counted(size);
    const auto opened = open(reference({.number = "0001 ffffffffffff"}, plaintext));
    ASSERT_TRUE(opened) << size;
    EXPECT_EQ(*opened, plaintext) << size;
  }
}

TEST_P(Protection12, SealsInPlace) {
  const Buffer plaintext = test::counted(50);
  Sealer12 sealer = this->sealer();
  Buffer out(plaintext.size() + overhead());
  const auto inside = MutableBytes(out).subspan(13 + sealer.head_room(), plaintext.size());
  std::ranges::copy(plaintext, inside.begin());
  ASSERT_TRUE(sealer.seal(header(1), inside, out));
  EXPECT_EQ(to_hex(out), to_hex(reference({.number = "0001 000000000001"}, plaintext)));
}

TEST_P(Protection12, SaysWhenTheBufferIsTooSmall) {
  const Buffer plaintext = test::counted(10);
  Buffer out(plaintext.size() + overhead() - 1, std::byte{0x11});
  const auto size = sealer().seal(header(1), plaintext, out);
  ASSERT_FALSE(size);
  EXPECT_EQ(size.error().code, Errc::buffer_too_small);
  EXPECT_EQ(out, Buffer(out.size(), std::byte{0x11})) << "untouched";
}

TEST_P(Protection12, RefusesEachFlippedBit) {
  const Buffer plaintext = test::counted(5);
  const Buffer record = reference({}, plaintext);
  ASSERT_TRUE(open(record));
  for (std::size_t bit = 0; bit < record.size() * 8; ++bit) {
    // The length field decides how much is a record before it is opened.
    if (bit / 8 == 11 || bit / 8 == 12) continue;
    Buffer damaged = record;
    damaged[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    EXPECT_FALSE(open(damaged)) << "bit " << bit;
  }
}

TEST_P(Protection12, RefusesARecordCutAnywhere) {
  const Buffer record = reference({}, test::counted(5));
  for (std::size_t size = 13; size < record.size(); ++size) {
    Buffer cut = test::copy_of(Bytes(record).first(size));
    const Buffer length = test::length16(size - 13);
    std::ranges::copy(length, cut.begin() + 11);
    EXPECT_FALSE(open(cut)) << size;
  }
}

TEST_P(Protection12, AfterARefusalTheNextOpens) {
  Opener12 opener = this->opener();
  Buffer bad = reference({}, test::counted(30));
  bad.back() ^= std::byte{1};
  EXPECT_FALSE(opener.open(header(0), bad));
  Buffer good = reference({}, test::counted(30));
  const auto plaintext = opener.open(header(0), good);
  ASSERT_TRUE(plaintext);
  EXPECT_EQ(to_hex(*plaintext), to_hex(test::counted(30)));
}

TEST_P(Protection12, NeedsAKeyOfItsSize) {
  for (const std::size_t size : {std::size_t{0}, key_.size() - 1, key_.size() + 1}) {
    const Buffer wrong(size);
    const ProtectionKey12 key{GetParam().aead, wrong, iv_};
    EXPECT_FALSE(Sealer12::make(test::environment().library(), key)) << size;
    EXPECT_FALSE(Opener12::make(test::environment().library(), key)) << size;
  }
}

// RFC 9146 section 5.3: other additional data, and the connection ID in the header.
TEST_P(Protection12, AConnectionIdIsAuthenticated) {
  for (const std::size_t cid_size : {1U, 8U, 255U}) {
    const Buffer cid = test::counted(cid_size);
    Header12 header = Protection12::header(0x0203);
    header.type = kTls12Cid;
    header.connection_id = cid;
    const Buffer inner = from_hex("aabb 17");
    Buffer out(inner.size() + overhead() + cid_size);
    ASSERT_EQ(sealer().seal(header, inner, out), out.size());
    const Buffer number = from_hex("0001 000000000203");
    const Buffer additional_data = test::join({from_hex("ffffffffffffffff 19"),
                                               {{static_cast<std::byte>(cid_size)}},
                                               from_hex("19 fefd"),
                                               number,
                                               cid,
                                               from_hex("0003")});
    Buffer nonce = is_gcm() ? test::join({iv_, number}) : test::join({Buffer(4), number});
    for (std::size_t i = 0; !is_gcm() && i < nonce.size(); ++i) nonce[i] ^= iv_[i];
    const Buffer sealed =
        test::reference_seal(GetParam().name, key_, nonce, additional_data, inner);
    EXPECT_EQ(to_hex(out), to_hex(test::join({from_hex("19 fefd"), number, cid,
                                              test::length16((is_gcm() ? 8 : 0) + sealed.size()),
                                              is_gcm() ? number : Buffer(), sealed})));
    Opener12 opener = this->opener();
    Buffer record = out;
    const auto opened = opener.open(*Header12::decode(record, cid_size), record);
    ASSERT_TRUE(opened) << cid_size;
    EXPECT_EQ(to_hex(*opened), to_hex(inner));
    record = out;
    record[11] ^= std::byte{1};
    EXPECT_FALSE(opener.open(*Header12::decode(record, cid_size), record)) << "another ID";
  }
}

INSTANTIATE_TEST_SUITE_P(Suites, Protection12,
                         testing::Values(Cipher{AeadAlgorithm::aes_128_gcm, "AES-128-GCM", 4},
                                         Cipher{AeadAlgorithm::aes_256_gcm, "AES-256-GCM", 4},
                                         Cipher{AeadAlgorithm::chacha20_poly1305,
                                                "ChaCha20-Poly1305", 12}),
                         [](const auto& param_info) {
                           return std::string(param_info.param.aead == AeadAlgorithm::aes_128_gcm
                                                  ? "Aes128Gcm"
                                              : param_info.param.aead == AeadAlgorithm::aes_256_gcm
                                                  ? "Aes256Gcm"
                                                  : "ChaCha20Poly1305");
                         });

// RFC 5288 section 3: the explicit part is the sender's choice; a random one is no reason to drop.
TEST(Protection12Gcm, TakesAnyExplicitNonce) {
  const Buffer key = test::counted(16);
  const Buffer salt = from_hex("01020304");
  Opener12 opener =
      must(Opener12::make(test::environment().library(), {AeadAlgorithm::aes_128_gcm, key, salt}));
  Buffer record = test::reference_gcm("AES-128-GCM", key, salt,
                                      {.explicit_nonce = "deadbeef 12345678"}, test::counted(9));
  const auto header = Header12::decode(record);
  const auto plaintext = opener.open(*header, record);
  ASSERT_TRUE(plaintext);
  EXPECT_EQ(to_hex(*plaintext), to_hex(test::counted(9)));
}

// What we send is the record number, so that it never repeats under a key.
TEST(Protection12Gcm, SendsTheRecordNumberAsItsExplicitNonce) {
  const Buffer key = test::counted(16);
  Sealer12 sealer = must(Sealer12::make(test::environment().library(),
                                        {AeadAlgorithm::aes_128_gcm, key, from_hex("01020304")}));
  const Header12 header{wire::ContentType::application_data, ProtocolVersion::dtls12,
                        wire::Epoch{1}, wire::SequenceNumber{0xaabbccddeeff}, 0};
  Buffer out(64);
  ASSERT_TRUE(sealer.seal(header, {}, out));
  EXPECT_EQ(to_hex(Bytes(out).subspan(13, 8)), "0001aabbccddeeff");
}

}  // namespace
}  // namespace sluice::dtls::record
