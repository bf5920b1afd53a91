#include <gtest/gtest.h>
#include <sluice/stun/crc32.h>

#include "support/bytes.h"

namespace sluice::stun {
namespace {

// The definition, bit by bit.
std::uint32_t by_definition(dtls::Bytes bytes) {
  std::uint32_t crc = 0xffffffff;
  for (const std::byte byte : bytes) {
    crc ^= std::to_integer<std::uint32_t>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xedb88320 : 0);
  }
  return ~crc;
}

// The check value that ITU-T V.42's CRC-32 has in every catalogue of CRCs.
TEST(Crc32, HasTheKnownCheckValue) {
  EXPECT_EQ(crc32(test::bytes_of("123456789")), 0xcbf43926);
  EXPECT_EQ(crc32({}), 0U);
}

TEST(Crc32, IsRightForEverySizeAndStart) {
  test::SeededRandom random(1);
  dtls::Buffer bytes(100);
  random.fill(bytes);
  for (std::size_t start = 0; start < 9; ++start) {
    for (std::size_t size = 0; size <= bytes.size() - start; ++size) {
      const auto part = dtls::Bytes(bytes).subspan(start, size);
      ASSERT_EQ(crc32(part), by_definition(part)) << start << " " << size;
    }
  }
}

}  // namespace
}  // namespace sluice::stun
