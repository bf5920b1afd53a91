// Data channels over a restart of the server: another association takes the place of the one before
// (RFC 9260 section 5.2), and the channels stay open.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "scenario/sfu/data_world.h"

namespace sluice::interop::sfu {
namespace {

using namespace std::chrono_literals;
using data_channel::ChannelId;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr auto kMoment = 500ms;

TEST(SfuDataRestart, AChatGoesOn) {
  DataWorld world;
  DataPeer& publisher = world.data_publisher();
  DataPeer& viewer = world.data_viewer();
  const auto first = world.open(publisher, "chat");
  const auto second = world.open(viewer, "chat");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(world.replace(), 2U);
    world.run_for(kMoment);
    world.say(publisher, first, "to the viewer " + std::to_string(i));
    world.say(viewer, second, "to the publisher " + std::to_string(i));
    world.run_for(kMoment);
  }
  EXPECT_THAT(viewer.texts(), ElementsAre("to the viewer 0", "to the viewer 1", "to the viewer 2"));
  EXPECT_THAT(publisher.texts(),
              ElementsAre("to the publisher 0", "to the publisher 1", "to the publisher 2"));
  EXPECT_THAT(viewer.end.opened, IsEmpty());
  EXPECT_THAT(viewer.end.closed_channels, IsEmpty());
  EXPECT_EQ(world.dropped(), 0U);
}

TEST(SfuDataRestart, SoItIsWithoutAHandshake) {
  DataWorld world;
  DataPeer& publisher = world.data_publisher({.has_sctp_init = true});
  DataPeer& viewer = world.data_viewer({.has_sctp_init = true});
  const auto id = world.open(publisher, "chat");
  world.open(viewer, "chat");
  world.replace();
  world.run_for(kMoment);
  world.say(publisher, id, "hello");
  world.run_for(kMoment);
  EXPECT_THAT(viewer.texts(), ElementsAre("hello"));
}

// The channels that the server has opened are closed with the last one of a peer, as before.
TEST(SfuDataRestart, ChannelsOfTheServerMoveToo) {
  DataWorld world;
  DataPeer& publisher = world.data_publisher();
  const DataPeer& viewer = world.data_viewer();
  const auto id = world.open(publisher, "chat");
  world.say(publisher, id, "before");
  world.run_for(kMoment);
  ASSERT_THAT(viewer.end.opened, SizeIs(1));
  world.replace();
  world.run_for(kMoment);
  world.say(publisher, id, "after");
  world.run_for(kMoment);
  EXPECT_THAT(viewer.texts(), ElementsAre("before", "after"));
  EXPECT_THAT(viewer.end.opened, SizeIs(1)) << "no second one";
  world.close(publisher, id);
  world.run_for(1s);
  EXPECT_THAT(viewer.end.closed_channels, SizeIs(1));
}

}  // namespace
}  // namespace sluice::interop::sfu
