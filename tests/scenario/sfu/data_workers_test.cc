// Data channels of a room that is on two workers of a server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "scenario/sfu/data_world.h"
#include "scenario/sfu/worker_worlds.h"

namespace sluice::interop::sfu {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class SfuDataWorkers : public testing::Test {
 protected:
  SfuDataWorkers() { worlds_.run_for(100ms); }

  WorkerWorlds<DataWorld> worlds_;
  DataPeer& publisher_ = worlds_.first.data_publisher();
  DataPeer& near_ = worlds_.first.data_viewer();
  DataPeer& far_ = worlds_.second.data_viewer();
};

TEST_F(SfuDataWorkers, AMessageGoesToAllOthersOfTheRoom) {
  worlds_.first.say(publisher_, worlds_.first.open(publisher_, "chat"), "hello");
  worlds_.run_for(200ms);
  EXPECT_THAT(near_.texts(), ElementsAre("hello"));
  EXPECT_THAT(far_.texts(), ElementsAre("hello"));
  EXPECT_THAT(publisher_.texts(), IsEmpty());
  worlds_.second.say(far_, worlds_.second.open(far_, "chat"), "good morning");
  worlds_.run_for(200ms);
  EXPECT_THAT(near_.texts(), ElementsAre("hello", "good morning"));
  EXPECT_THAT(publisher_.texts(), ElementsAre("good morning"));
  EXPECT_THAT(far_.texts(), ElementsAre("hello"));
  EXPECT_EQ(worlds_.first.data().relayed, 1U);
  EXPECT_EQ(worlds_.second.data().relayed, 1U);
  EXPECT_EQ(worlds_.first.data().sent + worlds_.second.data().sent, 4U);
  EXPECT_EQ(worlds_.first.dropped() + worlds_.second.dropped(), 0U);
}

// The channel that the server has opened ends with the last one that a peer has opened, wherever.
TEST_F(SfuDataWorkers, ALabelEndsOnAllWorkers) {
  const auto chat = worlds_.first.open(publisher_, "chat");
  worlds_.first.say(publisher_, chat, "hello");
  worlds_.run_for(200ms);
  ASSERT_THAT(far_.end.opened, SizeIs(1));
  EXPECT_EQ(worlds_.second.session(far_)->channels(), 1U);
  worlds_.first.close(publisher_, chat);
  worlds_.run_for(1s);
  EXPECT_EQ(worlds_.second.session(far_)->channels(), 0U);
  EXPECT_EQ(worlds_.first.session(near_)->channels(), 0U);
}

TEST_F(SfuDataWorkers, ALabelLivesWhilePeersOfAnotherWorkerHaveIt) {
  const auto chat = worlds_.first.open(publisher_, "chat");
  worlds_.second.open(far_, "chat");
  worlds_.run_for(100ms);
  worlds_.first.say(publisher_, chat, "hello");
  worlds_.run_for(200ms);
  worlds_.first.close(publisher_, chat);
  worlds_.run_for(1s);
  EXPECT_EQ(worlds_.first.session(near_)->channels(), 1U) << "the server's";
  worlds_.second.say(far_, data_channel::ChannelId{0}, "still here");
  worlds_.run_for(200ms);
  EXPECT_THAT(near_.texts(), ElementsAre("hello", "still here"));
}

}  // namespace
}  // namespace sluice::interop::sfu
