// A room with one publisher, whose video the test sends.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "scenario/sfu/sfu_world.h"

namespace sluice::interop::sfu {

class PublishedRoom : public testing::Test {
 protected:
  // Packets with these numbers.
  void send_video(std::uint16_t first, std::uint16_t count) {
    for (std::uint16_t i = 0; i < count; ++i) {
      const auto number = static_cast<std::uint16_t>(first + i);
      world_.send(publisher_, {.number = number, .timestamp = number * 3000U});
    }
  }
  void nack(Peer& viewer, rtp::SequenceNumber lost, std::uint16_t following = 0) {
    const rtp::NackEntry entry{.lost = lost, .following = following};
    world_.send_rtcp(viewer, [&](rtp::CompoundWriter& writer) {
      ASSERT_TRUE(writer.add(rtp::GenericNack{
          .sender = rtp::Ssrc{1}, .media = viewer.ssrc(kVideo), .entries = std::span(&entry, 1)}));
    });
  }
  // How often the publisher was asked for one.
  [[nodiscard]] std::size_t key_frames_asked() const {
    return SfuWorld::received<rtp::PictureLossIndication>(publisher_).size();
  }

  SfuWorld world_;
  Peer& publisher_ = world_.publisher();
};

}  // namespace sluice::interop::sfu
