// A publisher with three layers on one server, and another server that pulls it, in virtual time.
#pragma once

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
#include "scenario/sfu/worker_worlds.h"
#include "sfu/cluster/upstream.h"
#include "support/endpoints.h"

namespace sluice::interop::sfu {

inline constexpr std::string_view kKeyFrameBytes{"\x10\x50"};
inline constexpr std::string_view kDeltaFrameBytes{"\x10\x51"};
inline constexpr std::uint32_t kLarge = 0x100;
inline constexpr std::uint32_t kSmall = 0x300;
// Where the node that pulls is.
inline constexpr dtls::UdpEndpoint kNode{dtls::Ipv4Address{203, 0, 113, 9}, 5000};
inline constexpr const char* kOriginUrl = "http://192.0.2.1:1";
inline constexpr const char* kNodeUrl = "http://192.0.2.2:2";

// What pulls of a server with one worker or two.
inline SfuWorld& puller_of(SfuWorld& node) { return node; }
inline SfuWorld& puller_of(WorkerWorlds<SfuWorld>& node) { return node.first; }

template <class Node>
class ClusterWorld : public testing::Test {
 protected:
  ClusterWorld() {
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
  // What the origin answers.
  PullSetup ask() {
    const auto ice = make_credentials();
    const auto read = read_pull_answer(post(request(), ice).value().answer).value();
    auto candidates = usable_candidates(read.answer.transport.candidates, kNode);
    return {.room = "room",
            .origin = {.id = request().stream, .path = {kOriginUrl}},
            .session = {.dtls = dtls_, .ice = ice, .answer = read.answer, .candidates = candidates},
            .tracks = read.tracks};
  }
  void pull() {
    auto made = Upstream::make(ask(), {}, test::environment(), puller_.now);
    ASSERT_TRUE(made) << made.error();
    upstream_ = *std::move(made);
    run_for(std::chrono::milliseconds{200});
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
        upstream_->handle_datagram(bytes, kServer, puller_.sfu, puller_.now);
        puller_.sfu.forward_pulled(puller_.now);
      }
    }
  }
  void run_for(dtls::Duration duration) {
    for (const auto until = origin_.now + duration; origin_.now < until;) {
      origin_.run_for(std::chrono::milliseconds{10});
      node_.run_for(std::chrono::milliseconds{10});
      if (!upstream_) continue;
      const auto next = upstream_->next_timeout();
      if (next && *next <= puller_.now) upstream_->handle_timeout(puller_.sfu, puller_.now);
      settle();
    }
    node_.run_for(std::chrono::milliseconds{0});
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
    for (const auto until = origin_.now + duration; origin_.now < until;
         run_for(std::chrono::milliseconds{50})) {
      send("h");
      send("l");
    }
  }
  static std::set<char> letters(Peer& viewer) { return SfuWorld::letters(viewer); }
  std::set<std::uint32_t> asked() { return SfuWorld::sources_asked(publisher_); }

  // Of a packet of the large layer.
  static constexpr std::size_t kLargeDatagram = 800;

  SfuWorld origin_;
  Node node_;
  SfuWorld& puller_ = puller_of(node_);
  dtls::ConfigPtr dtls_ = test::make_config();
  std::unique_ptr<Upstream> upstream_;
  std::vector<dtls::Buffer> under_way_;  // to the node
  Peer& publisher_ = origin_.publisher(SfuWorld::simulcast_offer());
  std::uint16_t large_ = 0;
  std::uint16_t small_ = 0;
  bool is_cut_ = false;
  std::size_t loses_ = 0;
};

}  // namespace sluice::interop::sfu
