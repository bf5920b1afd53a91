#include <gtest/gtest.h>

#include "support/bytes.h"
#include "wire/reader.h"
#include "wire/types.h"

namespace sluice::dtls::wire {
namespace {

using test::counted;
using test::from_hex;
using test::to_hex;

TEST(Reader, ReadsIntegersInNetworkOrder) {
  const Buffer bytes = from_hex("01 0203 040506 0708090a0b0c 16 fefd");
  Reader reader(bytes);
  EXPECT_EQ(reader.u8(), 0x01U);
  EXPECT_EQ(reader.u16(), 0x0203U);
  EXPECT_EQ(reader.u24(), 0x040506U);
  EXPECT_EQ(reader.u48(), 0x0708090a0b0cULL);
  EXPECT_EQ(reader.code<ContentType>(), ContentType::handshake);
  EXPECT_EQ(reader.code<MessageSeq>(), MessageSeq{0xfefd});
  EXPECT_TRUE(reader.complete());
}

TEST(Reader, ReadsTheHighestNumbers) {
  const Buffer bytes(1 + 2 + 3 + 6, std::byte{0xff});
  Reader reader(bytes);
  EXPECT_EQ(reader.u8(), 0xffU);
  EXPECT_EQ(reader.u16(), 0xffffU);
  EXPECT_EQ(reader.u24(), 0xffffffU);
  EXPECT_EQ(reader.u48(), kMaxSequenceNumber);
  EXPECT_TRUE(reader.complete());
}

TEST(Reader, EachIntegerNeedsAllOfItsBytes) {
  const Buffer bytes(5, std::byte{0xff});
  const auto fails = [&](std::size_t size, auto read) {
    const Buffer exact = test::copy_of(Bytes(bytes).first(size));
    Reader reader(exact);
    EXPECT_EQ(read(reader), 0U) << size;
    return !reader.ok();
  };
  EXPECT_TRUE(fails(0, [](Reader& reader) { return reader.u8(); }));
  EXPECT_TRUE(fails(1, [](Reader& reader) { return reader.u16(); }));
  EXPECT_TRUE(fails(2, [](Reader& reader) { return reader.u24(); }));
  EXPECT_TRUE(fails(5, [](Reader& reader) { return reader.u48(); }));
}

TEST(Reader, FailureIsForGood) {
  const Buffer bytes = from_hex("0102");
  Reader reader(bytes);
  EXPECT_EQ(reader.u24(), 0U);
  EXPECT_FALSE(reader.ok());
  // Two bytes were there, but a decoder that reads on must not take them for something else.
  EXPECT_EQ(reader.u8(), 0U);
  EXPECT_EQ(reader.u16(), 0U);
  EXPECT_TRUE(reader.bytes(0).empty());
  EXPECT_TRUE(reader.vector8().empty());
  EXPECT_TRUE(reader.rest().empty());
  EXPECT_FALSE(reader.more());
  EXPECT_FALSE(reader.ok());
  EXPECT_FALSE(reader.complete());
}

TEST(Reader, NothingIsCompleteAtOnce) {
  Reader reader({});
  EXPECT_TRUE(reader.complete());
  EXPECT_FALSE(reader.more());
  EXPECT_TRUE(reader.bytes(0).empty());
  EXPECT_TRUE(reader.ok());
}

TEST(Reader, RestIsWhatWasNotRead) {
  const Buffer bytes = counted(5);
  Reader reader(bytes);
  EXPECT_EQ(to_hex(reader.bytes(2)), "0001");
  EXPECT_EQ(to_hex(reader.rest()), "020304");
  EXPECT_TRUE(reader.more());
  EXPECT_TRUE(reader.ok());
  EXPECT_FALSE(reader.complete());
}

TEST(Reader, VectorsEndWhereTheirLengthSays) {
  const Buffer bytes = from_hex("02 aabb 0001 cc 000002 ddee 00 ff");
  Reader reader(bytes);
  EXPECT_EQ(to_hex(reader.vector8()), "aabb");
  EXPECT_EQ(to_hex(reader.vector16()), "cc");
  EXPECT_EQ(to_hex(reader.vector24()), "ddee");
  EXPECT_TRUE(reader.vector8().empty());
  EXPECT_TRUE(reader.ok());
  EXPECT_EQ(reader.u8(), 0xffU);
  EXPECT_TRUE(reader.complete());
}

TEST(Reader, AVectorBeyondTheEndFails) {
  for (const auto* const hex : {"02 aa", "ff", ""}) {
    const Buffer bytes = from_hex(hex);
    Reader reader(bytes);
    EXPECT_TRUE(reader.vector8().empty()) << hex;
    EXPECT_FALSE(reader.ok()) << hex;
  }
  for (const auto* const hex : {"0002 aa", "ffff", "00", ""}) {
    const Buffer bytes = from_hex(hex);
    Reader reader(bytes);
    EXPECT_TRUE(reader.vector16().empty()) << hex;
    EXPECT_FALSE(reader.ok()) << hex;
  }
  for (const auto* const hex : {"000002 aa", "ffffff", "0000", ""}) {
    const Buffer bytes = from_hex(hex);
    Reader reader(bytes);
    EXPECT_TRUE(reader.vector24().empty()) << hex;
    EXPECT_FALSE(reader.ok()) << hex;
  }
}

TEST(Reader, AnInnerVectorCannotReachOutOfItsParent) {
  // Inside two bytes, a vector that says it has three; the third would be there, outside.
  const Buffer bytes = from_hex("0002 03 aa bb cc");
  Reader outer(bytes);
  Reader inner(outer.vector16());
  EXPECT_TRUE(inner.vector8().empty());
  EXPECT_FALSE(inner.ok());
  EXPECT_TRUE(outer.ok());
  EXPECT_EQ(to_hex(outer.rest()), "bbcc");
}

}  // namespace
}  // namespace sluice::dtls::wire
