#include "early_media.h"

#include <gtest/gtest.h>

namespace sluice::transport {
namespace {

dtls::Buffer packet(unsigned content, std::size_t size = 10) {
  return dtls::Buffer(size, static_cast<std::byte>(content));
}

TEST(EarlyMedia, ReturnsPacketsInTheOrderOfArrival) {
  EarlyMedia early(3, 100);
  EXPECT_TRUE(early.empty());
  EXPECT_EQ(early.take().has_value(), false);
  EXPECT_EQ(early.keep(MediaKind::rtp, packet(1)), std::nullopt);
  EXPECT_EQ(early.keep(MediaKind::rtcp, packet(2)), std::nullopt);
  auto first = early.take();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->kind, MediaKind::rtp);
  EXPECT_EQ(first->bytes, packet(1));
  EXPECT_EQ(early.keep(MediaKind::rtp, packet(3)), std::nullopt);
  EXPECT_EQ(early.take()->kind, MediaKind::rtcp);
  EXPECT_EQ(early.take()->bytes, packet(3));
  EXPECT_TRUE(early.empty());
}

TEST(EarlyMedia, DropsTheNewestAboveItsBound) {
  EarlyMedia early(2, 100);
  EXPECT_EQ(early.keep(MediaKind::rtp, packet(1)), std::nullopt);
  EXPECT_EQ(early.keep(MediaKind::rtp, packet(2)), std::nullopt);
  EXPECT_EQ(early.keep(MediaKind::rtp, packet(3)), Drop::early_media_full);
  EXPECT_EQ(early.take()->bytes, packet(1));
  early.clear();
  EXPECT_TRUE(early.empty());
}

TEST(EarlyMedia, DropsLargePackets) {
  EarlyMedia early(2, 100);
  EXPECT_EQ(early.keep(MediaKind::rtp, packet(1, 101)), Drop::early_media_large);
  EXPECT_EQ(early.keep(MediaKind::rtp, packet(1, 100)), std::nullopt);
}

TEST(EarlyMedia, MayBeTurnedOff) {
  EarlyMedia early(0, 100);
  EXPECT_EQ(early.keep(MediaKind::rtp, packet(1)), Drop::early_media_full);
}

TEST(DropNames, AreDistinct) {
  for (std::size_t i = 0; i < kDropReasons; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      EXPECT_NE(to_string(static_cast<Drop>(i)), to_string(static_cast<Drop>(j)));
    }
    EXPECT_NE(to_string(static_cast<Drop>(i)), "unknown");
  }
  EXPECT_EQ(to_string(static_cast<Drop>(kDropReasons)), "unknown");
}

}  // namespace
}  // namespace sluice::transport
