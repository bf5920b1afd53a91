// Sessions of a fleet that are live: what they take, and what a timer and a datagram cost beside
// them.
#include <algorithm>
#include <chrono>
#include <map>
#include <memory>

#include "fleet.h"
#include "heap.h"
#include "measures.h"
#include "resident.h"

namespace sluice::bench {
namespace {

using namespace std::chrono_literals;

class LiveFleet {
 public:
  // A busy server: 1,000 handshakes a second. Each leaves its last flight behind, with a timer, for
  // the four minutes of 2 x MSL.
  explicit LiveFleet(std::size_t sessions)
      : fleet_({.sessions = sessions,
                .talkers = std::min(sessions / 20, kMaxTalkers),
                .interval = 1ms}),
        before_(heap_in_use()) {
    const auto begin = std::chrono::steady_clock::now();
    fleet_.connect_all();
    handshakes_per_second_ =
        static_cast<double>(sessions) /
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }

  [[nodiscard]] dtls::Endpoint& endpoint() { return fleet_.endpoint(); }
  [[nodiscard]] double handshakes_per_second() const { return handshakes_per_second_; }
  [[nodiscard]] std::size_t talkers() { return fleet_.talkers().size(); }
  void wake_one() { fleet_.fire_one(); }

  // All talkers have sent: they have to seal again.
  [[nodiscard]] bool is_silent() const { return next_ == records_.size(); }
  // One record of each talker.
  void seal() {
    next_ = 0;
    const dtls::Buffer data(64);
    records_.resize(talkers());
    for (std::size_t i = 0; i < talkers(); ++i) {
      records_[i].resize(data.size() + dtls::kSealOverhead);
      const auto size = fleet_.talkers()[i].connection.seal(data, records_[i]);
      records_[i].resize(size.value());
    }
  }
  void receive() {
    const std::size_t talker = next_++;
    endpoint().handle_datagram(records_[talker], fleet_.talkers()[talker].path, fleet_.now());
    benchmark::DoNotOptimize(endpoint().poll_data());
  }

  // Of the whole process.
  Resident resident_idle() {
    fleet_.fall_idle();
    return resident_memory();
  }
  // The devices are gone then.
  double bytes_each_idle() {
    fleet_.fall_idle();
    fleet_.talkers() = std::vector<Talker>();
    records_ = std::vector<dtls::Buffer>();
    return (heap_in_use() - before_) / static_cast<double>(endpoint().size());
  }

 private:
  Fleet fleet_;
  std::vector<dtls::Buffer> records_;
  std::size_t next_ = 0;  // of records_
  double before_;
  double handshakes_per_second_ = 0;
};

// Those that are measured, or compared with.
std::map<std::size_t, std::unique_ptr<LiveFleet>>& live_fleets() {
  static std::map<std::size_t, std::unique_ptr<LiveFleet>> fleets;
  return fleets;
}

LiveFleet& live_fleet(std::size_t sessions) {
  auto& fleet = live_fleets()[sessions];
  if (!fleet) fleet = std::make_unique<LiveFleet>(sessions);
  return *fleet;
}

void time_next_timeout(benchmark::State& state, std::size_t sessions) {
  LiveFleet& fleet = live_fleet(sessions);
  while (state.KeepRunning()) benchmark::DoNotOptimize(fleet.endpoint().next_timeout());
}

// One timer fires, and its connection is called.
void time_wake_up(benchmark::State& state, std::size_t sessions) {
  LiveFleet& fleet = live_fleet(sessions);
  while (state.KeepRunning()) fleet.wake_one();
}

// A datagram finds its connection, which makes its cipher contexts, opens and delivers it.
void time_datagram(benchmark::State& state, std::size_t sessions) {
  LiveFleet& fleet = live_fleet(sessions);
  while (state.KeepRunning()) {
    if (fleet.is_silent()) {
      state.PauseTiming();
      fleet.seal();
      state.ResumeTiming();
    }
    fleet.receive();
  }
}

using FleetTimer = void (*)(benchmark::State&, std::size_t);

struct LiveMeasures {
  std::size_t sessions;
  std::size_t small;  // to compare with

  [[nodiscard]] std::string name(const char* what) const {
    return std::string("fleet/live/") + what + "/" + std::to_string(sessions);
  }
  [[nodiscard]] Measure timed(const char* what, FleetTimer runner, std::int64_t iterations = 0,
                              bool has_goal = false) const {
    const auto work = [=](std::size_t size) {
      return Timed{[=](benchmark::State& state) { runner(state, size); }, iterations};
    };
    Measure measure{.name = name(what),
                    .unit = "ns",
                    .per_second = 1e9,
                    .contestants = {{kOurs, work(sessions)}}};
    if (sessions == small) return measure;
    measure.contestants.push_back({"small", work(small)});
    if (has_goal) measure.goals = {{"small", 2}};
    return measure;
  }
  [[nodiscard]] Measure sampled(const char* what, const char* unit, double (*figure)(std::size_t),
                                std::vector<Goal> goals = {}) const {
    return {.name = name(what),
            .unit = unit,
            .contestants = {{kOurs, Sampled([=, size = sessions](const Plan& /*plan*/) {
                               return std::vector{figure(size)};
                             })}},
            .goals = std::move(goals)};
  }
};

double fleet_handshake_rate(std::size_t sessions) {
  return live_fleet(sessions).handshakes_per_second();
}

double resident_idle(std::size_t sessions) {
  const Resident resident = live_fleet(sessions).resident_idle();
  return resident.anonymous + resident.files;
}

// The last measure of a fleet.
double bytes_idle(std::size_t sessions) {
  LiveFleet& fleet = live_fleet(sessions);
  // What was made later than this one would count for it.
  std::erase_if(live_fleets(), [=](const auto& other) { return other.first != sessions; });
  const double bytes = fleet.bytes_each_idle();
  live_fleets().clear();
  trim_heap();
  return bytes;
}

}  // namespace

void add_live_fleet(Measures& measures, std::size_t sessions, std::size_t small) {
  const LiveMeasures all{sessions, small};
  // So many datagrams and timers in each round: of the small fleet all talkers, and in all rounds
  // together fewer timers than there are.
  const auto each_round = static_cast<std::int64_t>(small / 20);
  measures.push_back(all.sampled("handshakes", "1/s both", fleet_handshake_rate));
  measures.push_back(all.timed("next_timeout", time_next_timeout, 0, true));
  measures.push_back(all.timed("datagram", time_datagram, each_round));
  measures.push_back(all.timed("wake_up", time_wake_up, each_round, true));
  std::vector<Goal> resident_goal;
  if (sessions >= kLargeFleet) resident_goal = {{"", 16'000}};
  measures.push_back(all.sampled("resident", "MB", resident_idle, std::move(resident_goal)));
  measures.push_back(all.sampled("bytes", "bytes each", bytes_idle, {{"", 600}}));
}

}  // namespace sluice::bench
