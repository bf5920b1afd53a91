#include "message/handshake_fragment.h"

#include <gtest/gtest.h>

#include "unit/dtls/message/exactness.h"

namespace sluice::dtls::message {
namespace {

using test::expect_exact;
using test::from_hex;
using test::to_hex;

std::optional<HandshakeFragment> take_one(const Buffer& record) {
  wire::Reader reader(record);
  auto fragment = HandshakeFragment::take(reader);
  return fragment && reader.complete() ? fragment : std::nullopt;
}

TEST(HandshakeFragment, IsReadFieldByField) {
  const Buffer record = from_hex("0b 000010 0007 000004 000003 aabbcc");
  const auto fragment = take_one(record);
  ASSERT_TRUE(fragment);
  EXPECT_EQ(fragment->header.type, wire::HandshakeType::certificate);
  EXPECT_EQ(fragment->header.length, 0x10U);
  EXPECT_EQ(fragment->header.message_seq, wire::MessageSeq{7});
  EXPECT_EQ(fragment->header.fragment_offset, 4U);
  EXPECT_EQ(fragment->header.fragment_length, 3U);
  EXPECT_EQ(to_hex(fragment->body), "aabbcc");
  expect_exact(record, [](const Buffer& bytes) { return take_one(bytes).has_value(); });
}

TEST(HandshakeFragment, ItsHeaderIsWrittenAsItIsRead) {
  const HandshakeHeader header{wire::HandshakeType::finished, 0xffffff, wire::MessageSeq{0xffff},
                               0xfffffe, 1};
  Buffer record(kHandshakeHeaderSize);
  header.encode(record);
  EXPECT_EQ(to_hex(record),
            "14ffffffffff"
            "fffffe"
            "000001");
  record.push_back(std::byte{0x55});
  const auto fragment = take_one(record);
  ASSERT_TRUE(fragment);
  EXPECT_EQ(fragment->header.length, header.length);
  EXPECT_EQ(fragment->header.fragment_offset, header.fragment_offset);
}

TEST(HandshakeFragment, LiesInsideItsMessage) {
  EXPECT_TRUE(take_one(from_hex("01 000002 0000 000000 000002 aabb")));
  EXPECT_TRUE(take_one(from_hex("01 000002 0000 000002 000000")));
  EXPECT_FALSE(take_one(from_hex("01 000002 0000 000001 000002 aabb")));
  EXPECT_FALSE(take_one(from_hex("01 000002 0000 000003 000000")));
  EXPECT_FALSE(take_one(from_hex("01 000000 0000 000000 000001 aa")));
  EXPECT_FALSE(take_one(from_hex("01 000000 0000 ffffff 000000")));
  // What a claim of 2^24 - 1 bytes lacks is missing, whatever it says about itself.
  EXPECT_FALSE(take_one(from_hex("01 ffffff 0000 000000 ffffff aa")));
}

TEST(HandshakeFragment, OfLengthAndOffsetNeitherOverflows) {
  Buffer record = from_hex("01 ffffff 0000 ffffff ffffff");
  record.resize(kHandshakeHeaderSize + 0xffffff);
  EXPECT_FALSE(take_one(record));
}

TEST(HandshakeFragment, ARecordMayHoldSeveral) {
  const Buffer record = from_hex(
      "0e 000000 0003 000000 000000"
      "10 000002 0004 000000 000002 aabb");
  wire::Reader reader(record);
  const auto first = HandshakeFragment::take(reader);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->header.type, wire::HandshakeType::server_hello_done);
  EXPECT_TRUE(first->body.empty());
  EXPECT_TRUE(reader.more());
  const auto second = HandshakeFragment::take(reader);
  ASSERT_TRUE(second);
  EXPECT_EQ(to_hex(second->body), "aabb");
  EXPECT_TRUE(reader.complete());
}

}  // namespace
}  // namespace sluice::dtls::message
