#include "record/cbc_protection12.h"

#include <gtest/gtest.h>

#include "crypto/hmac.h"
#include "support/bytes.h"
#include "support/endpoints.h"
#include "wire/writer.h"

namespace sluice::dtls::record {
namespace {

using crypto::AesCbc;
using test::counted;
using test::must;

constexpr RecordProtection12::Header kHeader{0x0001'0000'0000'0007, 23, ProtocolVersion::dtls12};

class CbcProtection : public testing::Test {
 protected:
  std::unique_ptr<CbcProtection12> make(AesCbc::Direction direction) {
    return must(CbcProtection12::make(library_, direction, {mac_key_, key_, {}}));
  }
  Buffer seal(Bytes plaintext) {
    Buffer out(plaintext.size() + CbcProtection12::kRoom.head + CbcProtection12::kRoom.tail);
    out.resize(sealer_->seal(kHeader, plaintext, out).value());
    return out;
  }
  // What a peer could send that pads as it likes.
  Buffer with_blocks(Buffer blocks) {
    Buffer fragment = counted(16);
    EXPECT_TRUE(
        must(AesCbc::make(library_, AesCbc::Direction::encrypt, key_)).process(fragment, blocks));
    fragment.insert(fragment.end(), blocks.begin(), blocks.end());
    Buffer pseudo_header = test::from_hex("0001000000000007 17 fefd 0000");
    wire::store(MutableBytes(pseudo_header).last(2), fragment.size());
    auto hmac = must(crypto::Hmac::with_key(library_, HashAlgorithm::sha256, mac_key_));
    const auto mac = must(hmac.compute({pseudo_header, fragment}));
    fragment.insert(fragment.end(), mac.bytes().begin(), mac.bytes().end());
    return fragment;
  }

  crypto::Library& library_ = test::environment().library();
  Buffer mac_key_ = counted(32);
  Buffer key_ = counted(16);
  std::unique_ptr<CbcProtection12> sealer_ = make(AesCbc::Direction::encrypt);
  std::unique_ptr<CbcProtection12> opener_ = make(AesCbc::Direction::decrypt);
};

TEST_F(CbcProtection, OpensWhatItSealed) {
  for (std::size_t size = 0; size <= 50; ++size) {
    const Buffer plaintext = counted(size);
    Buffer fragment = seal(plaintext);
    EXPECT_EQ(fragment.size(), 16 + (size / 16 + 1) * 16 + 32);
    const auto opened = opener_->open(kHeader, fragment);
    ASSERT_TRUE(opened) << size;
    EXPECT_EQ(test::to_hex(*opened), test::to_hex(plaintext));
  }
}

// The IV must not be foreseen (RFC 5246 section 6.2.3.2).
TEST_F(CbcProtection, NoTwoRecordsAreTheSame) { EXPECT_NE(seal(counted(5)), seal(counted(5))); }

TEST_F(CbcProtection, NothingMayChange) {
  const Buffer good = seal(counted(20));
  for (std::size_t i = 0; i < good.size(); ++i) {
    Buffer bad = good;
    bad[i] ^= std::byte{1};
    EXPECT_FALSE(opener_->open(kHeader, bad)) << i;
    Buffer shorter(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_FALSE(opener_->open(kHeader, shorter)) << i;
  }
  for (const auto& other :
       {RecordProtection12::Header{8, 23, ProtocolVersion::dtls12},
        RecordProtection12::Header{kHeader.number, 22, ProtocolVersion::dtls12},
        RecordProtection12::Header{kHeader.number, 23, ProtocolVersion::dtls10}}) {
    Buffer fragment = good;
    EXPECT_FALSE(opener_->open(other, fragment));
  }
}

// RFC 5246 section 6.2.3.2: "each uint8 in the padding data vector MUST be filled with the padding
// length value", which may be more than it takes.
TEST_F(CbcProtection, PaddingIsChecked) {
  const Buffer longest(32, std::byte{31});
  Buffer fragment = with_blocks(longest);
  const auto opened = opener_->open(kHeader, fragment);
  ASSERT_TRUE(opened);
  EXPECT_TRUE(opened->empty());
  Buffer one_differs = longest;
  one_differs[5] = std::byte{30};
  const Buffer too_long(32, std::byte{32});
  for (const Buffer& blocks : {one_differs, too_long}) {
    Buffer bad = with_blocks(blocks);
    EXPECT_FALSE(opener_->open(kHeader, bad));
  }
}

}  // namespace
}  // namespace sluice::dtls::record
