#include "record/header13.h"

#include <gtest/gtest.h>

#include "support/bytes.h"

namespace sluice::dtls::record {
namespace {

using test::from_hex;

Buffer with_cid(const char* flags, std::size_t cid_size, const char* rest) {
  Buffer bytes = from_hex(flags);
  const Buffer cid = test::counted(cid_size);
  bytes.insert(bytes.end(), cid.begin(), cid.end());
  const Buffer behind = from_hex(rest);
  bytes.insert(bytes.end(), behind.begin(), behind.end());
  return bytes;
}

// RFC 9147 section 4, figure 3: the connection ID follows the flags.
TEST(Header13, AConnectionIdHasTheSizeThatItsReceiverChose) {
  for (const std::size_t cid_size : {1U, 8U, 255U}) {
    const Buffer bytes = with_cid("3f", cid_size, "0102 0003 aabbcc dd");
    const auto header = Header13::decode(bytes, cid_size);
    ASSERT_TRUE(header) << cid_size;
    EXPECT_EQ(header->cid_size, cid_size);
    EXPECT_EQ(header->sequence_at, 1 + cid_size);
    EXPECT_EQ(header->sequence_size, 2U);
    EXPECT_EQ(header->size, 1 + cid_size + 4);
    EXPECT_EQ(header->length, 3U);
    // Without the byte that follows the record.
    for (std::size_t size = 0; size + 1 < bytes.size(); ++size) {
      EXPECT_FALSE(Header13::decode(test::copy_of(Bytes(bytes).first(size)), cid_size)) << size;
    }
  }
}

TEST(Header13, WithoutALengthTheRecordEndsWithTheDatagram) {
  const auto header = Header13::decode(with_cid("33", 8, "01 aabbcc"), 8);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->sequence_at, 9U);
  EXPECT_EQ(header->sequence_size, 1U);
  EXPECT_EQ(header->size, 10U);
  EXPECT_EQ(header->length, 3U);
}

TEST(Header13, AConnectionIdThatWasNotAskedForHasNoKnownSize) {
  EXPECT_FALSE(Header13::decode(with_cid("3f", 8, "0102 0003 aabbcc")));
  EXPECT_FALSE(Header13::decode(from_hex("3f 0102 0003 aabbcc"))) << "nor is it empty";
}

TEST(Header13, WithoutTheBitThereIsNoConnectionId) {
  for (const std::size_t own_cid_size : {0U, 8U, 255U}) {
    const auto header = Header13::decode(from_hex("2f 0102 0003 aabbcc"), own_cid_size);
    ASSERT_TRUE(header);
    EXPECT_EQ(header->cid_size, 0U);
    EXPECT_EQ(header->sequence_at, 1U);
    EXPECT_EQ(header->size, 5U);
    EXPECT_EQ(header->length, 3U);
  }
}

}  // namespace
}  // namespace sluice::dtls::record
