#include "receive_guard.h"

#include <gtest/gtest.h>

#include "chunks.h"

namespace sluice::data_channel {
namespace {

constexpr std::size_t kLimit = 1000;

Buffer packet(ChunkType type, const Buffer& value) {
  Buffer packet(kCommonHeader);
  append_u8(packet, static_cast<std::uint8_t>(type));
  append_u8(packet, 0);
  append_u16(packet, static_cast<std::uint16_t>(kChunkHeader + value.size()));
  append(packet, value);
  packet.resize(padded(packet.size()));
  return packet;
}
Buffer data(std::size_t size) { return packet(ChunkType::data, Buffer(size)); }
Buffer sack(std::uint32_t window, std::uint16_t gaps) {
  Buffer value;
  append_u32(value, 1);
  append_u32(value, window);
  append_u16(value, gaps);
  append_u16(value, 0);
  return packet(ChunkType::sack, value);
}

TEST(ReceiveGuard, AdmitsAllWithoutGaps) {
  ReceiveGuard guard(kLimit);
  EXPECT_TRUE(guard.admits(data(2000)));
  guard.on_sent(sack(0, 0));
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(guard.admits(data(2000)));
}

TEST(ReceiveGuard, AdmitsWhatTheWindowHasRoomFor) {
  ReceiveGuard guard(kLimit);
  guard.on_sent(sack(500, 1));
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(guard.admits(data(500)));
}

TEST(ReceiveGuard, BeyondTheWindowThereIsALimit) {
  ReceiveGuard guard(kLimit);
  guard.on_sent(sack(1, 1));
  EXPECT_TRUE(guard.admits(data(600)));
  EXPECT_TRUE(guard.admits(data(400)));
  EXPECT_FALSE(guard.admits(data(20)));
  // Other chunks are no data.
  EXPECT_TRUE(guard.admits(packet(ChunkType::sack, Buffer(2000))));
  guard.on_sent(sack(1, 1));
  EXPECT_FALSE(guard.admits(data(20)));
}

TEST(ReceiveGuard, BeginsAnewWithRoomOrWithoutGaps) {
  for (const auto& news : {sack(500, 1), sack(0, 0)}) {
    ReceiveGuard guard(kLimit);
    guard.on_sent(sack(1, 1));
    EXPECT_TRUE(guard.admits(data(kLimit)));
    guard.on_sent(news);
    guard.on_sent(sack(1, 1));
    EXPECT_TRUE(guard.admits(data(kLimit)));
    EXPECT_FALSE(guard.admits(data(20)));
  }
}

// A lie about lengths hides no data from usrsctp, which drops such a packet or what follows.
TEST(ReceiveGuard, MalformedChunks) {
  ReceiveGuard guard(kLimit);
  guard.on_sent(sack(1, 1));
  for (std::size_t size = 0; size < 40; ++size) {
    guard.on_sent(Buffer(size));
    EXPECT_TRUE(guard.admits(Buffer(size)));
  }
  auto lie = data(100);
  lie[kCommonHeader + 3] = std::byte{0xff};
  EXPECT_TRUE(guard.admits(lie));
}

}  // namespace
}  // namespace sluice::data_channel
