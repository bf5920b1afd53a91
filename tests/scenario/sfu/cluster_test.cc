// A publisher of one server that is watched on another one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/client/client_ice.h"
#include "scenario/sfu/sfu_world.h"
#include "sfu/cluster/upstream.h"
#include "support/endpoints.h"

namespace sluice::interop::sfu {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::string_view kKeyFrameBytes{"\x10\x50"};
constexpr std::string_view kDeltaFrameBytes{"\x10\x51"};
constexpr std::uint32_t kLarge = 0x100;
constexpr std::uint32_t kSmall = 0x300;
// Where the node that pulls is.
constexpr dtls::UdpEndpoint kNode{dtls::Ipv4Address{203, 0, 113, 9}, 5000};
constexpr const char* kOriginUrl = "http://192.0.2.1:1";
constexpr const char* kNodeUrl = "http://192.0.2.2:2";

class SfuCluster : public testing::Test {
 protected:
  SfuCluster() {
    origin_.to_others = [this](dtls::Buffer bytes, const dtls::UdpPath& path) {
      if (path.peer != kNode || is_cut_) return;
      if (loses_ > 0 && bytes.size() > kLargeDatagram) {
        --loses_;
        return;
      }
      under_way_.push_back(std::move(bytes));
    };
  }

  StreamRequest request() {
    return {.room = "room",
            .stream = origin_.sfu.cluster_view().streams.at(0).id,
            .node = kNodeUrl,
            .self = kOriginUrl,
            .max_depth = 2,
            .fan_out = 2};
  }
  CreateResult post(const StreamRequest& request, const ice_lite::Credentials& ice) {
    const auto fingerprint = test::must(dtls::Fingerprint::of(
        test::ecdsa_identity().certificate(), dtls::HashAlgorithm::sha256, test::environment()));
    const auto offer = read_offer(write_pull_offer(ice, fingerprint, kNode));
    return origin_.sfu.watch_stream(request, *offer, "192.0.2.2", origin_.now);
  }
  void pull() {
    const auto ice = make_credentials();
    const auto created = post(request(), ice);
    ASSERT_TRUE(created) << created.error().sentence;
    auto read = read_pull_answer(created->answer);
    ASSERT_TRUE(read) << read.error();
    auto candidates = usable_candidates(read->answer.transport.candidates, kNode);
    auto made = Upstream::make(
        {.room = "room",
         .origin = {.id = request().stream, .path = {kOriginUrl}},
         .session = {.dtls = dtls_, .ice = ice, .answer = read->answer, .candidates = candidates},
         .tracks = read->tracks},
        {}, test::environment(), node_.now);
    ASSERT_TRUE(made) << made.error();
    upstream_ = *std::move(made);
    run_for(200ms);
    ASSERT_NE(upstream_->publisher(), nullptr) << upstream_->ended();
  }

  void settle() {
    for (bool is_busy = true; is_busy;) {
      is_busy = false;
      for (auto& outgoing : upstream_->take()) {
        is_busy = true;
        if (!is_cut_) origin_.to_server(std::move(outgoing.bytes), kNode);
      }
      for (dtls::Buffer& bytes : std::exchange(under_way_, {})) {
        is_busy = true;
        upstream_->handle_datagram(bytes, kServer, node_.sfu, node_.now);
        node_.sfu.forward_pulled(node_.now);
      }
    }
  }
  void run_for(dtls::Duration duration) {
    for (const auto until = origin_.now + duration; origin_.now < until;) {
      origin_.run_for(10ms);
      node_.run_for(10ms);
      if (!upstream_) continue;
      const auto next = upstream_->next_timeout();
      if (next && *next <= node_.now) upstream_->handle_timeout(node_.sfu, node_.now);
      settle();
    }
    node_.run_for(0ms);
  }
  void send(std::string_view rid, std::string_view begin = kDeltaFrameBytes) {
    const bool is_large = rid == "h";
    std::uint16_t& number = is_large ? large_ : small_;
    ++number;
    const std::string payload = std::string(begin) + std::string(is_large ? 900 : 100, rid.front());
    origin_.send(publisher_, {.number = number,
                              .timestamp = number * 3000U,
                              .ssrc = is_large ? kLarge : kSmall,
                              .payload = payload,
                              .rid = number == 1 ? rid : std::string_view{}});
    if (upstream_) settle();
  }
  void send_for(dtls::Duration duration) {
    for (const auto until = origin_.now + duration; origin_.now < until; run_for(50ms)) {
      send("h");
      send("l");
    }
  }
  static std::set<char> letters(Peer& viewer) { return SfuWorld::letters(viewer); }
  std::set<std::uint32_t> asked() { return SfuWorld::sources_asked(publisher_); }

  // Of a packet of the large layer.
  static constexpr std::size_t kLargeDatagram = 800;

  SfuWorld origin_;
  SfuWorld node_;
  dtls::ConfigPtr dtls_ = test::make_config();
  std::unique_ptr<Upstream> upstream_;
  std::vector<dtls::Buffer> under_way_;  // to the node
  Peer& publisher_ = origin_.publisher(SfuWorld::simulcast_offer());
  std::uint16_t large_ = 0;
  std::uint16_t small_ = 0;
  bool is_cut_ = false;
  std::size_t loses_ = 0;
};

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
  EXPECT_EQ(refusal(request()), "");
  EXPECT_EQ(refusal(request()), "");
  EXPECT_EQ(refusal(request()), "As many nodes pull this stream as may: 2.");
  EXPECT_EQ(origin_.count(Refusal::node_loop), 2U);
  EXPECT_EQ(origin_.count(Refusal::too_many_nodes), 1U);
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

}  // namespace
}  // namespace sluice::interop::sfu
