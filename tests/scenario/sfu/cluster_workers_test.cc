// A server with two workers that pulls a publisher of another server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "scenario/sfu/cluster_world.h"
#include "sfu/operations/sessions_snapshot.h"
#include "sfu/restart/moved_sfu.h"
#include "sfu/workers/joined_moves.h"

namespace sluice::interop::sfu {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class SfuClusterWorkers : public ClusterWorld<WorkerWorlds<SfuWorld>> {
 protected:
  Peer& viewer(SfuWorld& worker) {
    Peer& made = worker.viewer();
    run_for(20ms);
    return made;
  }
  SessionsSnapshot snapshot() {
    return joined({take_snapshot(first_.sfu, first_.now), take_snapshot(second_.sfu, second_.now)});
  }

  SfuWorld& first_ = node_.first;
  SfuWorld& second_ = node_.second;
};

TEST_F(SfuClusterWorkers, OneStreamServesTheViewersOfAllWorkers) {
  pull();
  Peer& near = viewer(first_);
  Peer& far = viewer(second_);
  send("h", kKeyFrameBytes);
  send_for(500ms);
  EXPECT_THAT(letters(near), ElementsAre('h'));
  EXPECT_THAT(letters(far), ElementsAre('h'));
  EXPECT_THAT(first_.sfu.cluster_view().streams, SizeIs(1));
  EXPECT_THAT(second_.sfu.cluster_view().streams, IsEmpty()) << "a mirror is no stream of its own";
  EXPECT_THAT(second_.sfu.cluster_view().watched, ElementsAre("room"));
  const auto seen = snapshot();
  ASSERT_THAT(seen.rooms, SizeIs(1));
  EXPECT_EQ(seen.rooms[0].publishers, 1U);
  EXPECT_EQ(seen.rooms[0].viewers, 2U);
  ASSERT_THAT(seen.rooms[0].pulled, SizeIs(1));
  EXPECT_EQ(seen.rooms[0].pulled[0].worker, 0U);
  EXPECT_EQ(seen.rooms[0].pulled[0].tracks.at(1).layers.at(0).receivers, 2U);
  EXPECT_EQ(seen.counters.pulled, 1U);
}

TEST_F(SfuClusterWorkers, ViewersAreMadeWhereTheirRoomIsPulled) {
  pull();
  EXPECT_EQ(node_.directory.place_for("room"), 0U);
}

TEST_F(SfuClusterWorkers, AKeyFrameIsAskedOfThePublisherOnItsNode) {
  pull();
  Peer& far = viewer(second_);
  send("l", kKeyFrameBytes);
  send_for(500ms);
  asked();
  ASSERT_TRUE(second_.sfu.ask_for_layer(far.id, {}, "h"));
  send_for(200ms);
  EXPECT_THAT(asked(), ElementsAre(kLarge));
  send("h", kKeyFrameBytes);
  send_for(300ms);
  EXPECT_THAT(letters(far), Contains('h'));
}

TEST_F(SfuClusterWorkers, ItIsWantedWhileAViewerOfAnyWorkerWatches) {
  pull();
  EXPECT_FALSE(first_.sfu.is_wanted(*upstream_->publisher()));
  const Peer& far = viewer(second_);
  EXPECT_TRUE(first_.sfu.is_wanted(*upstream_->publisher()));
  ASSERT_TRUE(second_.sfu.remove(far.id, second_.now));
  run_for(20ms);
  EXPECT_FALSE(first_.sfu.is_wanted(*upstream_->publisher()));
}

TEST_F(SfuClusterWorkers, ItIsWantedWhileACounterOfferOfAnyWorkerWaits) {
  pull();
  const auto refused = second_.watch(SfuWorld::publisher_offer("H264"));
  ASSERT_FALSE(refused);
  ASSERT_TRUE(refused.error().counter_offer);
  run_for(20ms);
  EXPECT_TRUE(first_.sfu.is_wanted(*upstream_->publisher()));
  ASSERT_TRUE(second_.sfu.remove(refused.error().counter_offer->id, second_.now));
  EXPECT_FALSE(first_.sfu.is_wanted(*upstream_->publisher()));
}

TEST_F(SfuClusterWorkers, ItsEndIsSeenOnAllWorkersAndTheNextOneTakesTheSeat) {
  pull();
  Peer& far = viewer(second_);
  send("l", kKeyFrameBytes);
  send_for(500ms);
  upstream_->end(first_.sfu, first_.now);
  run_for(20ms);
  EXPECT_EQ(second_.sfu.rooms().at("room")->publishers(), 0U);
  run_for(1s);
  EXPECT_NE(second_.sfu.find(far.id), nullptr);
  letters(far);
  pull();
  send("h", kKeyFrameBytes);
  send_for(500ms);
  EXPECT_THAT(letters(far), ElementsAre('h'));
}

// The answer of a node says their SSRCs, so that the mirror has them before any packet.
TEST_F(SfuClusterWorkers, LayersThatHaveNotBegunAreShownFromTheirKeyFrames) {
  pull();
  Peer& far = viewer(second_);
  for (const char* rid : {"l", "h"}) {
    ASSERT_TRUE(second_.sfu.ask_for_layer(far.id, {}, rid));
    run_for(100ms);
    send(rid, kKeyFrameBytes);
    run_for(20ms);
    letters(far);
    send(rid);
    run_for(20ms);
    EXPECT_THAT(letters(far), ElementsAre(*rid));
  }
}

// Only there are the nodes known that pull it, and the path that it has come.
TEST_F(SfuClusterWorkers, OnlyTheWorkerOfAStreamGivesItToNodes) {
  pull();
  viewer(second_);
  auto further = request();
  further.node = "http://192.0.2.3:3";
  further.self = kNodeUrl;
  const auto ask = [&](SfuWorld& worker) {
    const auto fingerprint = test::must(dtls::Fingerprint::of(
        test::ecdsa_identity().certificate(), dtls::HashAlgorithm::sha256, test::environment()));
    const auto offer = read_offer(write_pull_offer(make_credentials(), fingerprint, kNode));
    const auto created = worker.sfu.watch_stream(further, *offer, "192.0.2.3", worker.now);
    return created ? std::string{} : created.error().sentence;
  };
  EXPECT_EQ(ask(second_), "There is no such stream here.");
  EXPECT_THAT(second_.sfu.path_of("room", further.stream), IsEmpty());
  EXPECT_EQ(node_.directory.worker_of_stream("room", further.stream), 0U);
  EXPECT_EQ(ask(first_), "");
  EXPECT_THAT(first_.sfu.path_of("room", further.stream), ElementsAre(kOriginUrl));
  further.node = kOriginUrl;
  EXPECT_EQ(ask(first_), "The stream comes over the node that asks for it.");
}

// The next process spreads its sessions anew.
TEST_F(SfuClusterWorkers, TheSessionOfANodeGoesOnWhereItsPublisherDoes) {
  pull();
  origin_.viewer();
  const auto moved = decode_moved_sfu(origin_.leave().bytes());
  ASSERT_TRUE(moved) << moved.error();
  WorkerWorlds<SfuWorld> next;
  const std::vector<Sfu*> workers = {&next.first.sfu, &next.second.sfu};
  move_in(
      *moved, {}, workers, [](const MovedSession& session) { return session.publisher ? 1U : 0U; },
      next.first.now);
  EXPECT_THAT(next.first.sfu.sessions(), SizeIs(1)) << "the viewer";
  EXPECT_THAT(next.second.sfu.sessions(), SizeIs(2));
}

}  // namespace
}  // namespace sluice::interop::sfu
