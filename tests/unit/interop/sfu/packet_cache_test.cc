#include "sfu/forwarding/packet_cache.h"

#include <gtest/gtest.h>

#include <vector>

namespace sluice::interop::sfu {
namespace {

std::vector<std::byte> packet_of(std::uint32_t source, std::uint16_t number,
                                 std::size_t payload = 4) {
  std::vector<std::byte> bytes(12 + payload, static_cast<std::byte>(number));
  bytes[0] = std::byte{0x80};
  rtp::set_ssrc(bytes, rtp::Ssrc{source});
  rtp::set_sequence_number(bytes, rtp::SequenceNumber{number});
  return bytes;
}

class PacketCacheTest : public testing::Test {
 protected:
  void add(const std::vector<std::byte>& bytes) {
    cache_.add(bytes, rtp::read_packet(bytes)->sequence_number);
  }
  [[nodiscard]] bool has(std::uint32_t source, std::uint16_t number) const {
    const auto found = cache_.find(rtp::Ssrc{source}, rtp::SequenceNumber{number});
    if (!found) return false;
    EXPECT_EQ(found->sequence_number, rtp::SequenceNumber{number});
    EXPECT_EQ(found->payload.front(), static_cast<std::byte>(number));
    return true;
  }

  PacketCache cache_{4};
};

TEST_F(PacketCacheTest, KeepsTheLastPackets) {
  EXPECT_FALSE(has(1, 0));
  for (std::uint16_t number = 65533; number != 3; ++number) add(packet_of(1, number));
  EXPECT_FALSE(has(1, 65534));
  for (std::uint16_t number = 65535; number != 3; ++number) EXPECT_TRUE(has(1, number)) << number;
  EXPECT_FALSE(has(1, 3));
}

TEST_F(PacketCacheTest, SourcesAreApart) {
  add(packet_of(1, 7));
  EXPECT_FALSE(has(2, 7));
  add(packet_of(2, 7));
  EXPECT_TRUE(has(2, 7));
  EXPECT_FALSE(has(1, 7));
}

TEST_F(PacketCacheTest, LargePacketsAreNotKept) {
  add(packet_of(1, 1, PacketCache::kMaxPacket - 12));
  add(packet_of(1, 2, PacketCache::kMaxPacket - 11));
  EXPECT_TRUE(has(1, 1));
  EXPECT_FALSE(has(1, 2));
}

}  // namespace
}  // namespace sluice::interop::sfu
