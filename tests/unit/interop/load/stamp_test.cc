#include "load/stamp.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>

#include "support/bytes.h"

namespace sluice::interop::load {
namespace {

constexpr Stamp kStamp{.source = SourceId{0xdeadbeef},
                       .number = 0x0102030405060708,
                       .sent = dtls::Instant(std::chrono::microseconds{1'700'000'000'123'456}),
                       .media_time = rtp::Timestamp{0xfffffff0}};

dtls::Buffer written(std::size_t size, const Stamp& stamp = kStamp) {
  dtls::Buffer bytes(size);
  write_stamp(stamp, bytes);
  return bytes;
}

TEST(Stamp, IsReadBack) {
  for (std::size_t size = kStampSize; size < kStampSize + 40; ++size) {
    const auto stamp = read_stamp(written(size));
    ASSERT_TRUE(stamp) << size;
    EXPECT_EQ(stamp->source, kStamp.source);
    EXPECT_EQ(stamp->number, kStamp.number);
    EXPECT_EQ(stamp->sent, kStamp.sent);
    EXPECT_EQ(stamp->media_time, kStamp.media_time);
  }
}

TEST(Stamp, EachBitCounts) {
  auto bytes = written(kStampSize + 13);
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      bytes[at] ^= std::byte(1U << bit);
      EXPECT_FALSE(read_stamp(bytes)) << at << " " << bit;
      bytes[at] ^= std::byte(1U << bit);
    }
  }
  EXPECT_TRUE(read_stamp(bytes));
}

// Nor may anything be cut off, added, or change places.
TEST(Stamp, EachByteHasItsPlace) {
  const auto bytes = written(kStampSize + 64);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(read_stamp(dtls::Bytes(bytes).first(size))) << size;
  }
  auto longer = bytes;
  longer.push_back({});
  EXPECT_FALSE(read_stamp(longer));
  auto changed = bytes;
  std::swap_ranges(changed.begin() + kStampSize, changed.begin() + kStampSize + 8,
                   changed.begin() + kStampSize + 8);
  EXPECT_FALSE(read_stamp(changed));
}

TEST(Stamp, PacketsDiffer) {
  Stamp next = kStamp;
  ++next.number;
  const auto filler = [](const dtls::Buffer& bytes) {
    return dtls::Buffer(bytes.begin() + kStampSize, bytes.end());
  };
  EXPECT_NE(filler(written(200)), filler(written(200, next)));
  EXPECT_EQ(filler(written(200)), filler(written(200)));
}

}  // namespace
}  // namespace sluice::interop::load
