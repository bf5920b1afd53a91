#include "record/cbc_protection12.h"

#include <gtest/gtest.h>

#include "crypto/hmac.h"
#include "record/additional_data12.h"
#include "record/record_layer.h"
#include "support/bytes.h"
#include "support/endpoints.h"
#include "wire/writer.h"

namespace sluice::dtls::record {
namespace {

using crypto::AesCbc;
using test::counted;
using test::must;

constexpr Header12 kHeader{wire::ContentType::application_data, ProtocolVersion::dtls12,
                           wire::Epoch{1}, wire::SequenceNumber{7}};

// The nonce is random, so the number is in the additional data only.
constexpr RecordNumber12 kNumber{};

class CbcProtection : public testing::Test {
 protected:
  std::unique_ptr<CbcProtection12> make(AesCbc::Direction direction) {
    return must(CbcProtection12::make(library_, direction, {mac_key_, key_, {}}));
  }
  Buffer seal(Bytes plaintext) {
    Buffer out(plaintext.size() + CbcProtection12::kRoom.head + CbcProtection12::kRoom.tail);
    AdditionalDataBuffer12 data(kHeader);
    out.resize(sealer_->seal(kNumber, data.view(), plaintext, out).value());
    return out;
  }
  std::optional<MutableBytes> open(const Header12& header, MutableBytes fragment) {
    AdditionalDataBuffer12 data(header);
    return opener_->open(kNumber, data.view(), fragment);
  }
  // What a peer could send that pads as it likes.
  Buffer with_blocks(Buffer blocks, const Buffer& iv = counted(16)) {
    Buffer fragment = iv;
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
    const auto opened = open(kHeader, fragment);
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
    EXPECT_FALSE(open(kHeader, bad)) << i;
    Buffer shorter(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_FALSE(open(kHeader, shorter)) << i;
  }
  std::array<Header12, 5> others{kHeader, kHeader, kHeader, kHeader, kHeader};
  others[0].sequence = wire::SequenceNumber{8};
  others[1].epoch = wire::Epoch{2};
  others[2].type = wire::ContentType::handshake;
  others[3].version = ProtocolVersion::dtls10;
  const Buffer cid = counted(3);
  others[4].connection_id = cid;
  for (const Header12& other : others) {
    Buffer fragment = good;
    EXPECT_FALSE(open(other, fragment));
  }
}

// RFC 9146 section 5.2: the placeholder, tls12_cid, cid_length, the header with the connection ID,
// and the length of what is encrypted, then that.
TEST_F(CbcProtection, AuthenticatesTheConnectionId) {
  const Buffer cid = test::from_hex("c0ffee");
  Header12 header = kHeader;
  header.type = kTls12Cid;
  header.connection_id = cid;
  Buffer out(16 + 16 + 32);
  AdditionalDataBuffer12 data(header);
  ASSERT_EQ(sealer_->seal(kNumber, data.view(), counted(5), out), out.size());
  auto hmac = must(crypto::Hmac::with_key(library_, HashAlgorithm::sha256, mac_key_));
  const auto mac = must(
      hmac.compute({test::from_hex("ffffffffffffffff 19 03 19 fefd 0001000000000007 c0ffee 0020"),
                    Bytes(out).first(32)}));
  EXPECT_EQ(test::to_hex(Bytes(out).last(32)), test::to_hex(mac.bytes()));
  const auto opened = open(header, out);
  ASSERT_TRUE(opened);
  EXPECT_EQ(test::to_hex(*opened), test::to_hex(counted(5)));
}

// RFC 5246 section 6.2.3.2: "each uint8 in the padding data vector MUST be filled with the padding
// length value", which may be more than it takes.
TEST_F(CbcProtection, PaddingIsChecked) {
  const Buffer longest(32, std::byte{31});
  Buffer fragment = with_blocks(longest);
  const auto opened = open(kHeader, fragment);
  ASSERT_TRUE(opened);
  EXPECT_TRUE(opened->empty());
  Buffer one_differs = longest;
  one_differs[5] = std::byte{30};
  const Buffer too_long(32, std::byte{32});
  for (const Buffer& blocks : {one_differs, too_long}) {
    Buffer bad = with_blocks(blocks);
    EXPECT_FALSE(open(kHeader, bad));
  }
  Buffer beyond = with_blocks(too_long, Buffer(16, std::byte{32}));
  EXPECT_FALSE(open(kHeader, beyond)) << "the IV before it is no padding";
}

// The shortest record has an IV of 16 bytes, a block of padding and a MAC of 32.
TEST_F(CbcProtection, AColdRecordLayerMakesNoCiphersForARecordThatIsTooShort) {
  const auto protection = [&](AesCbc::Direction direction) {
    return OwnProtection12{make(direction), CbcProtection12::kRoom, true};
  };
  RecordLayer records;
  records.set_version(ProtocolVersion::dtls12);
  records.add_reader12(Opener12(protection(AesCbc::Direction::decrypt)));
  records.add_writer12(Sealer12(protection(AesCbc::Direction::encrypt)));
  records.cool();
  for (const std::size_t fragment : {16U, 48U, 63U, 64U}) {
    Buffer datagram = test::from_hex("17 fefd 0001 000000000000 00");
    datagram.push_back(static_cast<std::byte>(fragment));
    datagram.resize(kHeaderSize12 + fragment);
    MutableBytes rest(datagram);
    const auto taken = records.take(rest);
    EXPECT_EQ(std::holds_alternative<NeedsCiphers>(taken), fragment == 64) << fragment;
  }
}

}  // namespace
}  // namespace sluice::dtls::record
