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

// Fails, and takes back what it wrote, for what does not fit its length.
TEST(Writer, RefusesAVectorThatIsTooLong) {
  const auto refuses = [](std::size_t size, auto open) {
    Buffer out = test::from_hex("aabb");
    Writer writer(out);
    writer.u16(1);
    {
      const auto vector = open(writer);
      writer.bytes(Buffer(size));
    }
    return !writer.ok() && to_hex(out) == "aabb";
  };
  EXPECT_TRUE(refuses(0x100, [](Writer& writer) { return writer.vector8(); }));
  EXPECT_TRUE(refuses(0x10000, [](Writer& writer) { return writer.vector16(); }));
  EXPECT_TRUE(refuses(0x1000000, [](Writer& writer) { return writer.vector24(); }));
}

TEST(Writer, RefusesAnIntegerThatIsTooLarge) {
  const auto refuses = [](auto put) {
    Buffer out;
    Writer writer(out);
    writer.u8(7);
    put(writer);
    return !writer.ok() && out.empty();
  };
  EXPECT_TRUE(refuses([](Writer& writer) { writer.u8(0x100); }));
  EXPECT_TRUE(refuses([](Writer& writer) { writer.u16(0x10000); }));
  EXPECT_TRUE(refuses([](Writer& writer) { writer.u24(0x1000000); }));
  EXPECT_TRUE(refuses([](Writer& writer) { writer.u32(0x100000000); }));
  EXPECT_TRUE(refuses([](Writer& writer) { writer.u48(0x1000000000000); }));
}

TEST(Writer, KeepsTheBoundsOfAVector) {
  const auto takes = [](std::size_t size) {
    Buffer out;
    Writer writer(out);
    {
      const auto vector = writer.vector8({.min = 2, .max = 32});
      writer.bytes(Buffer(size));
    }
    EXPECT_EQ(out.empty(), !writer.ok());
    return writer.ok();
  };
  EXPECT_FALSE(takes(0));
  EXPECT_FALSE(takes(1));
  EXPECT_TRUE(takes(2));
  EXPECT_TRUE(takes(32));
  EXPECT_FALSE(takes(33));
}

TEST(Writer, WritesNothingAfterAFailure) {
  Buffer out;
  Writer writer(out);
  {
    const auto outer = writer.vector16();
    const auto inner = writer.vector8();
    writer.u8(1);
    writer.fail();
    writer.fail();
    writer.u8(2);
    writer.bytes(Buffer(1000));
    const auto another = writer.vector24();
  }
  EXPECT_FALSE(writer.ok());
  EXPECT_TRUE(out.empty());
}

// A failure inside is one of all that is around it.
TEST(Writer, AFailureInsideReachesTheWhole) {
  EXPECT_FALSE(encoded([](Writer& writer) {
    const auto outer = writer.vector24();
    const auto inner = writer.vector8();
    writer.bytes(Buffer(0x100));
  }));
  EXPECT_EQ(to_hex(encoded([](Writer& writer) {
                     const auto outer = writer.vector24();
                     const auto inner = writer.vector8();
                     writer.u8(9);
                   }).value()),
            "0000020109");
}

TEST(Writer, DoesNotReallocateWhatMustNotGrow) {
  Buffer out;
  out.reserve(8);
  const std::byte* const place = out.data();
  Writer writer(out, Growth::refused);
  writer.u32(1);
  writer.u32(2);
  EXPECT_TRUE(writer.ok());
  EXPECT_EQ(out.data(), place);
  writer.u8(3);
  EXPECT_FALSE(writer.ok());
  EXPECT_TRUE(out.empty());
  EXPECT_EQ(out.data(), place);
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
