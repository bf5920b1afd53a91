// One sender, many receivers, on one core: what forwarding a packet to a receiver costs, beside the
// least that it can cost.
#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "fanout_call.h"
#include "fanout_floor.h"
#include "fanout_pion.h"
#include "measures.h"

namespace sluice::bench {
namespace {

constexpr double kMicroseconds = 1e6;
// Ours sends at least 0.85 of what libsrtp and sendmmsg() do, and with UDP_SEGMENT twice as much
// where bursts are long enough for that. With three packets not even libsrtp and joined sends are.
constexpr double kMostOfFloor = 1 / 0.85;
constexpr double kMostOfFloorJoined = 1 / 2.0;
constexpr std::size_t kLongBurst = 8;

// Made by the first measure that needs it, and kept for the rest.
class Stage {
 public:
  explicit Stage(std::size_t receivers) : count_(receivers) {}

  FanOutCall& call(bool joins) {
    auto& call = calls_[joins ? 1 : 0];
    if (!call) call = std::make_unique<FanOutCall>(sinks().addresses(), joins);
    call->keep_alive();
    return *call;
  }
  FanOutFloor& floor(FloorWork work, std::size_t joined) {
    auto& floor = floors_[{work, joined}];
    if (!floor) {
      floor =
          std::make_unique<FanOutFloor>(work, sinks().addresses(), FanOutCall::plaintext(), joined);
    }
    return *floor;
  }
  [[nodiscard]] std::size_t receivers() const { return count_; }
  [[nodiscard]] const std::vector<dtls::UdpEndpoint>& addresses() { return sinks().addresses(); }

 private:
  Sinks& sinks() {
    if (!sinks_) sinks_ = std::make_unique<Sinks>(count_);
    return *sinks_;
  }

  std::size_t count_;
  std::unique_ptr<Sinks> sinks_;
  std::array<std::unique_ptr<FanOutCall>, 2> calls_;
  std::map<std::pair<FloorWork, std::size_t>, std::unique_ptr<FanOutFloor>> floors_;
};

// The packets of a burst, so many of them in one message.
Timed floor_of(const std::shared_ptr<Stage>& stage, FloorWork work, std::size_t burst,
               std::size_t joined = 1) {
  return {.run = [=](benchmark::State& state) {
    FanOutFloor& floor = stage->floor(work, joined);
    while (state.KeepRunning()) {
      for (std::size_t i = 0; i < burst; i += joined) floor.run();
    }
  }};
}

void add_cost(Measures& measures, const std::shared_ptr<Stage>& stage, std::size_t burst,
              bool joins, const std::string& pion) {
  const std::size_t packets = burst * stage->receivers();
  measures.push_back(
      {.name = "fanout/packet/" + std::to_string(stage->receivers()) + "/burst_" +
               std::to_string(burst) + (joins ? "/joined" : "/single"),
       .unit = "us",
       .per_second = kMicroseconds / static_cast<double>(packets),
       .contestants = {{kOurs, Timed{.run =
                                         [=](benchmark::State& state) {
                                           FanOutCall& call = stage->call(joins);
                                           while (state.KeepRunning()) call.run(burst);
                                         }}},
                       {"send", floor_of(stage, FloorWork::send, burst)},
                       {"protect_and_send", floor_of(stage, FloorWork::protect_and_send, burst)}},
       .goals = {{"protect_and_send", burst >= kLongBurst ? kMostOfFloorJoined : kMostOfFloor}}});
  if (joins) {
    measures.back().contestants.push_back(
        {"protect_and_send_joined", floor_of(stage, FloorWork::protect_and_send, burst, burst)});
  }
  if (pion.empty()) return;
  measures.back().contestants.push_back({"pion_srtp", Sampled([=](const Plan& plan) {
                                           return run_pion(pion, stage->addresses(),
                                                           FanOutCall::kPayload, plan.rounds);
                                         })});
}

// Without sockets.
void add_protection(Measures& measures, const std::shared_ptr<Stage>& stage, std::size_t burst) {
  const std::size_t packets = burst * stage->receivers();
  measures.push_back({.name = "fanout/unsent/" + std::to_string(stage->receivers()) + "/burst_" +
                              std::to_string(burst),
                      .unit = "us",
                      .per_second = kMicroseconds / static_cast<double>(packets),
                      .contestants = {{kOurs, Timed{.run =
                                                        [=](benchmark::State& state) {
                                                          FanOutCall& call = stage->call(true);
                                                          while (state.KeepRunning())
                                                            call.run_unsent(burst);
                                                        }}},
                                      {"protect", floor_of(stage, FloorWork::protect, burst)}}});
}

// Of all packets of a few seconds.
std::vector<double> latencies(Stage& stage, std::size_t burst, const Plan& plan) {
  FanOutCall& call = stage.call(true);
  std::vector<Departed> departed;
  const int rounds = plan.quick ? 3 : 300;
  for (int i = 0; i < rounds; ++i) {
    const auto round = call.run_watched(burst);
    departed.insert(departed.end(), round.begin(), round.end());
  }
  std::ranges::sort(departed, {}, &Departed::after);
  std::size_t above = burst * stage.receivers() * static_cast<std::size_t>(rounds) / 100;
  auto at = departed.rbegin();
  while (at->packets < above) above -= (at++)->packets;
  return {static_cast<double>(at->after.count())};
}

void add_latency(Measures& measures, const std::shared_ptr<Stage>& stage, std::size_t burst) {
  measures.push_back({.name = "fanout/latency_p99/" + std::to_string(stage->receivers()) +
                              "/burst_" + std::to_string(burst),
                      .unit = "us",
                      .contestants = {{kOurs, Sampled([=](const Plan& plan) {
                                         return latencies(*stage, burst, plan);
                                       })}}});
}

}  // namespace

void add_fan_outs(Measures& measures, const Plan& plan) {
  for (const std::size_t receivers : plan.fan_outs) {
    const auto stage = std::make_shared<Stage>(receivers);
    for (const std::size_t burst : std::array<std::size_t, 2>{1, 8}) {
      add_protection(measures, stage, burst);
    }
    add_cost(measures, stage, 1, false, plan.pion_fan_out);
    for (const std::size_t burst : std::array<std::size_t, 2>{3, kLongBurst})
      add_cost(measures, stage, burst, true, plan.pion_fan_out);
    for (const std::size_t burst : std::array<std::size_t, 2>{1, 8})
      add_latency(measures, stage, burst);
  }
}

}  // namespace sluice::bench
