#include "wire/writer.h"

#include <gtest/gtest.h>

#include "support/bytes.h"
#include "wire/reader.h"
#include "wire/types.h"

namespace sluice::dtls::wire {
namespace {

using test::to_hex;

TEST(Writer, WritesIntegersInNetworkOrder) {
  Buffer out;
  Writer writer(out);
  writer.u8(0x01);
  writer.u16(0x0203);
  writer.u24(0x040506);
  writer.u48(0x0708090a0b0c);
  writer.code(ContentType::alert);
  writer.code(ExtensionType::renegotiation_info);
  EXPECT_EQ(to_hex(out),
            "010203040506070809"
            "0a0b0c15ff01");
}

TEST(Writer, AppendsToWhatIsThere) {
  Buffer out = test::from_hex("aa");
  Writer writer(out);
  writer.bytes(test::from_hex("bbcc"));
  writer.bytes({});
  EXPECT_EQ(to_hex(out), "aabbcc");
}

TEST(Writer, FillsInTheLengthsOfNestedVectors) {
  Buffer out;
  Writer writer(out);
  {
    const auto outer = writer.vector24();
    {
      const auto middle = writer.vector16();
      {
        const auto inner = writer.vector8();
        writer.u16(0xabcd);
      }
      writer.u8(0xee);
    }
    const auto empty = writer.vector16();
  }
  writer.u8(0xff);
  EXPECT_EQ(to_hex(out),
            "000008"
            "0004"
            "02abcd"
            "ee"
            "0000"
            "ff");
}

TEST(Writer, TheLongestVectorsComeBack) {
  const auto round_trip = [](std::size_t size, auto open, auto read) {
    const Buffer contents = test::counted(size);
    Buffer out;
    Writer writer(out);
    {
      const auto vector = open(writer);
      writer.bytes(contents);
    }
    Reader reader(out);
    return std::ranges::equal(read(reader), contents) && reader.complete();
  };
  EXPECT_TRUE(round_trip(
      0xff, [](Writer& writer) { return writer.vector8(); },
      [](Reader& reader) { return reader.vector8(); }));
  EXPECT_TRUE(round_trip(
      0xffff, [](Writer& writer) { return writer.vector16(); },
      [](Reader& reader) { return reader.vector16(); }));
  EXPECT_TRUE(round_trip(
      0x010000, [](Writer& writer) { return writer.vector24(); },
      [](Reader& reader) { return reader.vector24(); }));
}

TEST(Store, FillsAllOfItsBytes) {
  Buffer out(4, std::byte{0xff});
  store(out, 0x0102);
  EXPECT_EQ(to_hex(out), "00000102");
  store(MutableBytes(out).first(0), 7);
  EXPECT_EQ(to_hex(out), "00000102");
}

}  // namespace
}  // namespace sluice::dtls::wire
