// Data channels of a room that is on two workers of a server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "scenario/sfu/data_world.h"
#include "scenario/sfu/worker_worlds.h"
#include "sfu/workers/joined_moves.h"

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

// Of each session the next process decides anew which worker has it. Channels that the server has
// opened stay, although those of the peers come later.
TEST_F(SfuDataWorkers, ChannelsStayOpenOverARestart) {
  DataPeer& opener = worlds_.second.data_viewer();
  worlds_.run_for(100ms);
  const auto chat = worlds_.second.open(opener, "chat");
  worlds_.second.say(opener, chat, "before");
  worlds_.run_for(500ms);
  ASSERT_THAT(near_.end.opened, SizeIs(1));
  ASSERT_THAT(far_.end.opened, SizeIs(1));

  const dtls::Instant now = worlds_.first.now;
  std::vector<MovedSfu> parts;
  const std::array worlds{&worlds_.first, &worlds_.second};
  for (DataWorld* each : worlds) parts.push_back(each->sfu.move_out(now));
  MovedSfu moved = join_moves(std::move(parts));
  ASSERT_THAT(moved.sessions, SizeIs(4));
  std::vector<std::string> of_first;
  for (const MovedSession& each : moved.sessions) {
    if (of_first.size() < 2) of_first.push_back(each.id);
  }
  // One of the first worker's comes after the others.
  std::swap(moved.sessions[1], moved.sessions[2]);
  std::array<Sfu*, 2> sfus{};
  for (std::size_t i = 0; i < worlds.size(); ++i) {
    worlds.at(i)->begin_anew(
        {.directory = &worlds_.directory, .exchange = worlds_.exchange.get(), .worker = i});
    sfus.at(i) = &worlds.at(i)->sfu;
  }
  move_in(
      moved, {}, sfus,
      [&](const MovedSession& each) {
        return std::ranges::count(of_first, each.id) == 1 ? 0U : 1U;
      },
      now);
  worlds_.run_for(2s);
  for (const DataPeer* each : {&publisher_, &near_, &far_, &opener}) {
    EXPECT_THAT(each->end.closed_channels, IsEmpty());
  }
  worlds_.second.say(opener, chat, "after");
  worlds_.run_for(1s);
  EXPECT_THAT(near_.texts(), ElementsAre("before", "after"));
  EXPECT_THAT(far_.texts(), ElementsAre("before", "after"));
}

}  // namespace
}  // namespace sluice::interop::sfu
