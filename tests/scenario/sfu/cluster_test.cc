// Two servers of a cluster, and the connection between them.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <chrono>
#include <cstddef>
#include <set>
#include <string>
#include <utility>

#include <sluice/dtls/socket_address.h>
#include <sluice/udp/descriptor.h>
#include <sluice/udp/send_batch.h>
#include <sluice/udp/socket.h>

#include "common/clock.h"
#include "scenario/sfu/cluster_world.h"
#include "sfu/cluster/pulled_streams.h"
#include "sfu/restart/moved_sfu.h"

namespace sluice::interop::sfu {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

using SfuCluster = ClusterWorld<SfuWorld>;

TEST_F(SfuCluster, AllLayersComeOver) {
  pull();
  send_for(2s);
  const auto view = node_.sfu.cluster_view();
  EXPECT_THAT(view.streams, ElementsAre(ClusterView::Stream{"room", request().stream, 1}));
  Peer& viewer = node_.viewer();
  EXPECT_THAT(node_.sfu.cluster_view().watched, ElementsAre("room"));
  send_for(2s);
  EXPECT_THAT(letters(viewer), ElementsAre('l')) << "the smallest";
  asked();
  ASSERT_TRUE(node_.sfu.ask_for_layer(viewer.id, {}, "h"));
  send_for(200ms);
  EXPECT_THAT(asked(), ElementsAre(kLarge)) << "the publisher is asked over both servers";
  send("h", kKeyFrameBytes);
  send_for(300ms);
  EXPECT_THAT(letters(viewer), Contains('h'));
}

TEST_F(SfuCluster, WhatIsLostBetweenTheNodesIsAskedForAgain) {
  pull();
  Peer& viewer = node_.viewer();
  ASSERT_TRUE(node_.sfu.ask_for_layer(viewer.id, {}, "h"));
  send("h", kKeyFrameBytes);
  send_for(500ms);
  viewer.client->rtp.clear();
  loses_ = 2;
  send_for(500ms);
  EXPECT_EQ(loses_, 0U);
  EXPECT_GE(node_.counters().nacks_sent, 1U);
  EXPECT_GE(origin_.counters().repeated, 2U);
  std::set<std::uint16_t> numbers;
  for (const auto& packet : SfuWorld::packets(viewer, kVideo)) {
    numbers.insert(rtp::number(packet.sequence_number));
  }
  EXPECT_THAT(numbers, SizeIs(10));
}

TEST_F(SfuCluster, ASessionOfANodeEndsWithItsPublisher) {
  pull();
  node_.viewer();
  ASSERT_TRUE(origin_.sfu.remove(publisher_.id, origin_.now));
  run_for(200ms);
  EXPECT_EQ(upstream_->ended(), "closed");
  EXPECT_EQ(upstream_->publisher(), nullptr);
  EXPECT_THAT(node_.sfu.cluster_view().streams, IsEmpty());
  EXPECT_THAT(origin_.sfu.sessions(), IsEmpty()) << "not after the time that viewers have";
}

TEST_F(SfuCluster, ANodeThatVanishesIsMissedSoon) {
  pull();
  node_.viewer();
  run_for(30s);
  EXPECT_EQ(upstream_->ended(), "") << "while it answers, without a packet of media";
  is_cut_ = true;
  run_for(Upstream::kCheckLimit + 1s);
  EXPECT_EQ(upstream_->ended(), "the server does not answer any more");
  EXPECT_THAT(node_.sfu.cluster_view().streams, IsEmpty());
}

TEST_F(SfuCluster, ItEndsWhereTheAnswerIsNoUse) {
  is_cut_ = true;
  const auto ice = make_credentials();
  const auto created = post(request(), ice);
  auto read = read_pull_answer(created->answer).value();
  upstream_ =
      Upstream::make(
          {.room = "room",
           .origin = {.id = request().stream, .path = {kOriginUrl}},
           .session = {.dtls = dtls_,
                       .ice = ice,
                       .answer = read.answer,
                       .candidates = usable_candidates(read.answer.transport.candidates, kNode)},
           .tracks = read.tracks},
          {}, test::environment(), node_.now)
          .value();
  run_for(Upstream::kConnectLimit + 100ms);
  EXPECT_EQ(upstream_->ended(), "not connected in time");
}

TEST_F(SfuCluster, AnOriginGoesOnInTheNextProcess) {
  pull();
  Peer& viewer = node_.viewer();
  send("h", kKeyFrameBytes);
  send_for(500ms);
  const std::string stream = request().stream;
  EXPECT_EQ(origin_.replace(), 2U);
  EXPECT_EQ(request().stream, stream);
  letters(viewer);
  send_for(500ms);
  EXPECT_EQ(upstream_->ended(), "");
  EXPECT_THAT(letters(viewer), ElementsAre('h'));
  ASSERT_TRUE(origin_.sfu.remove(publisher_.id, origin_.now));
  run_for(200ms);
  EXPECT_EQ(upstream_->ended(), "closed") << "it still ends with its publisher";
}

TEST_F(SfuCluster, ViewersGoOnInTheNextProcessWithoutTheirPublisher) {
  pull();
  Peer& viewer = node_.viewer();
  send("h", kKeyFrameBytes);
  send_for(500ms);
  upstream_->end(node_.sfu, node_.now);
  run_for(200ms);
  EXPECT_EQ(node_.replace(), 1U);
  pull();
  letters(viewer);
  send("h", kKeyFrameBytes);
  send_for(500ms);
  EXPECT_THAT(letters(viewer), ElementsAre('h'));
}

// A node that pulls it over this one looks for it elsewhere at once.
TEST_F(SfuCluster, ASessionOfANodeDoesNotMoveWithoutItsPublisher) {
  pull();
  const auto moved = [&] {
    origin_.sfu.remove(publisher_.id, origin_.now);
    return decode_moved_sfu(origin_.leave().bytes());
  }();
  ASSERT_TRUE(moved) << moved.error();
  EXPECT_THAT(moved->sessions, IsEmpty());
  run_for(20ms);
  EXPECT_EQ(upstream_->ended(), "closed");
}

TEST_F(SfuCluster, LoopsAndMoreThanTheLimitsAreRefused) {
  const auto refusal = [this](StreamRequest request) {
    const auto created = post(request, make_credentials());
    return created ? std::string{} : created.error().sentence;
  };
  auto itself = request();
  itself.node = kOriginUrl;
  EXPECT_EQ(refusal(itself), "The stream comes over the node that asks for it.");
  auto unknown = request();
  unknown.stream = std::string(32, '0');
  EXPECT_EQ(refusal(unknown), "There is no such stream here.");
  auto deep = request();
  deep.max_depth = 0;
  EXPECT_EQ(refusal(deep), "The stream has come over as many nodes as it may: 0.");
  for (const char* node : {"http://192.0.2.2:2", "http://192.0.2.3:3"}) {
    auto further = request();
    further.node = node;
    EXPECT_EQ(refusal(further), "");
  }
  auto last = request();
  last.node = "http://192.0.2.4:4";
  EXPECT_EQ(refusal(last), "As many nodes pull this stream as may: 2.");
  EXPECT_EQ(origin_.count(Refusal::node_loop), 2U);
  EXPECT_EQ(origin_.count(Refusal::too_many_nodes), 1U);
}

// It was killed and comes back, or its connection has failed: its session of before lasts up to 30
// s.
TEST_F(SfuCluster, ANodeThatComesAgainCountsOnce) {
  auto only = request();
  only.fan_out = 1;
  EXPECT_TRUE(post(only, make_credentials()));
  EXPECT_TRUE(post(only, make_credentials()));
  auto other = only;
  other.node = "http://192.0.2.3:3";
  EXPECT_FALSE(post(other, make_credentials()));
  EXPECT_EQ(origin_.count(Refusal::too_many_nodes), 1U);
}

TEST_F(SfuCluster, ANodeThatComesAgainCountsOnceInTheNextProcess) {
  pull();
  EXPECT_EQ(origin_.replace(), 2U);
  auto only = request();
  only.fan_out = 1;
  EXPECT_TRUE(post(only, make_credentials()));
}

TEST_F(SfuCluster, AStreamDoesNotGoBackToWhereItCameFrom) {
  pull();
  auto back = request();
  back.node = kOriginUrl;
  back.self = kNodeUrl;
  const auto offer = read_offer(write_pull_offer(
      make_credentials(),
      test::must(dtls::Fingerprint::of(test::ecdsa_identity().certificate(),
                                       dtls::HashAlgorithm::sha256, test::environment())),
      kNode));
  const auto created = node_.sfu.watch_stream(back, *offer, "192.0.2.1", node_.now);
  ASSERT_FALSE(created);
  EXPECT_EQ(created.error().why, Refusal::node_loop);
  EXPECT_THAT(node_.sfu.path_of("room", back.stream), ElementsAre(kOriginUrl));
}

TEST_F(SfuCluster, ItIsWantedWhileSomebodyWatches) {
  pull();
  EXPECT_FALSE(node_.sfu.is_wanted(*upstream_->publisher()));
  const Peer& viewer = node_.viewer();
  EXPECT_TRUE(node_.sfu.is_wanted(*upstream_->publisher()));
  ASSERT_TRUE(node_.sfu.remove(viewer.id, node_.now));
  EXPECT_FALSE(node_.sfu.is_wanted(*upstream_->publisher()));
}

// Its viewer has half a minute to answer.
TEST_F(SfuCluster, ItIsWantedWhileACounterOfferWaits) {
  pull();
  const auto refused = node_.watch(SfuWorld::publisher_offer("H264"));
  ASSERT_FALSE(refused);
  ASSERT_TRUE(refused.error().counter_offer);
  EXPECT_TRUE(node_.sfu.is_wanted(*upstream_->publisher()));
  run_for(kCounterOfferLife + 100ms);
  EXPECT_FALSE(node_.sfu.is_wanted(*upstream_->publisher()));
}

// A socket is open for longer than its stream where another process is begun meanwhile: epoll has
// it until all of its descriptors are closed.
TEST_F(SfuCluster, ASocketThatIsHeldElsewhereIsNoLongerRead) {
  auto pulled = PulledStreams::make({}, test::environment(), {.dtls = dtls_}).value();
  const auto any = dtls::to_socket_address({dtls::Ipv4Address{127, 0, 0, 1}, 0});
  auto socket = udp::Socket::bind(any, pulled.socket_options()).value();
  const auto own = socket.own();
  const udp::Descriptor held(fcntl(socket.descriptor(), F_DUPFD_CLOEXEC, 0));
  ASSERT_TRUE(pulled.add(ask(), std::move(socket), common::now()));
  pulled.end_all(node_.sfu, common::now());
  auto sender = udp::Socket::bind(any).value();
  udp::SendBatch batch;
  const auto room = batch.room(1);
  ASSERT_FALSE(room.empty());
  room[0] = std::byte{1};
  batch.commit(1, {.peer = own});
  sender.send(batch);
  pollfd readable{.fd = pulled.descriptor(), .events = POLLIN, .revents = 0};
  EXPECT_EQ(poll(&readable, 1, 0), 0);
}

}  // namespace
}  // namespace sluice::interop::sfu
