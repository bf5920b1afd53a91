#include "record/header12.h"

#include <gtest/gtest.h>

#include "support/bytes.h"

namespace sluice::dtls::record {
namespace {

using test::from_hex;
using test::to_hex;

// RFC 6347 section 4.1: type, version, epoch, sequence_number, length.
TEST(Header12, IsReadFieldByField) {
  const auto header = Header12::decode(from_hex("17 fefd 0001 000000000203 0102"));
  ASSERT_TRUE(header);
  EXPECT_EQ(header->type, wire::ContentType::application_data);
  EXPECT_EQ(header->version, ProtocolVersion::dtls12);
  EXPECT_EQ(header->epoch, wire::kFirstEncryptedEpoch12);
  EXPECT_EQ(header->sequence, wire::SequenceNumber{0x203});
  EXPECT_EQ(header->length, 0x102U);
}

TEST(Header12, NeedsAllThirteenBytes) {
  const Buffer bytes = from_hex("ff ffff ffff ffffffffffff ffff");
  ASSERT_EQ(bytes.size(), kHeaderSize12);
  const auto highest = Header12::decode(bytes);
  ASSERT_TRUE(highest);
  EXPECT_EQ(highest->epoch, wire::Epoch{0xffff});
  EXPECT_EQ(highest->sequence, wire::SequenceNumber{wire::kMaxSequenceNumber});
  EXPECT_EQ(highest->length, 0xffffU);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(Header12::decode(test::copy_of(Bytes(bytes).first(size)))) << size;
  }
}

TEST(Header12, IsWrittenAsItIsRead) {
  const Header12 header{wire::ContentType::alert, ProtocolVersion::dtls10, wire::Epoch{0x1234},
                        wire::SequenceNumber{0x56789abcdef0}, 0x4000};
  Buffer out(kHeaderSize12 + 1, std::byte{0xee});
  header.encode(out);
  EXPECT_EQ(to_hex(out), "15feff123456789abcdef04000ee");
  const auto back = Header12::decode(out);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->type, header.type);
  EXPECT_EQ(back->version, header.version);
  EXPECT_EQ(back->epoch, header.epoch);
  EXPECT_EQ(back->sequence, header.sequence);
  EXPECT_EQ(back->length, header.length);
}

// RFC 9146 section 4: in records of type tls12_cid a connection ID precedes the length. Nothing in
// the record says how long it is.
TEST(Header12, AConnectionIdHasTheSizeThatItsReceiverChose) {
  for (const std::size_t cid_size : {1U, 8U, 255U}) {
    const Buffer cid = test::counted(cid_size);
    Buffer bytes = from_hex("19 fefd 0001 000000000203");
    bytes.insert(bytes.end(), cid.begin(), cid.end());
    const Buffer length = from_hex("0102");
    bytes.insert(bytes.end(), length.begin(), length.end());
    const auto header = Header12::decode(bytes, cid_size);
    ASSERT_TRUE(header) << cid_size;
    EXPECT_EQ(header->type, kTls12Cid);
    EXPECT_EQ(header->sequence, wire::SequenceNumber{0x203});
    EXPECT_EQ(to_hex(header->connection_id), to_hex(cid));
    EXPECT_EQ(header->length, 0x102U);
    EXPECT_EQ(header->size(), bytes.size());
    Buffer out(bytes.size() + 1, std::byte{0xee});
    header->encode(out);
    EXPECT_EQ(to_hex(out), to_hex(bytes) + "ee");
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_FALSE(Header12::decode(test::copy_of(Bytes(bytes).first(size)), cid_size)) << size;
    }
  }
}

// Its content type is an unknown one then, and RFC 5246 section 6 says what becomes of those.
TEST(Header12, WithoutAConnectionIdTheTypeIsLikeOthers) {
  const auto header = Header12::decode(from_hex("19 fefd 0001 000000000203 0001 00"));
  ASSERT_TRUE(header);
  EXPECT_EQ(header->type, kTls12Cid);
  EXPECT_TRUE(header->connection_id.empty());
  EXPECT_EQ(header->length, 1U);
}

TEST(Header12, OtherTypesHaveNoConnectionId) {
  const auto header = Header12::decode(from_hex("17 fefd 0001 000000000203 0001 00"), 8);
  ASSERT_TRUE(header);
  EXPECT_TRUE(header->connection_id.empty());
  EXPECT_EQ(header->length, 1U);
}

}  // namespace
}  // namespace sluice::dtls::record
