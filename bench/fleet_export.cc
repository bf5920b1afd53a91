// Sessions that leave a process and return: what an export and a restore cost, each with its seal.
#include <algorithm>
#include <chrono>
#include <ctime>
#include <utility>

#include "fleet.h"
#include "fleet_states.h"
#include "measures.h"
#include "support/endpoints.h"

namespace sluice::bench {
namespace {

using namespace std::chrono_literals;

// The sessions that move in one round.
constexpr std::size_t kMoves = 1000;

double thread_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

struct MoveRates {
  std::vector<double> exports;  // a second, of each round
  std::vector<double> restores;
};

// Exports and restores the same sessions in turns.
class Mover {
 public:
  explicit Mover(std::size_t sessions)
      : fleet_({.sessions = sessions, .talkers = std::min(sessions, kMoves), .interval = 100us}),
        states_(fleet_.environment()) {
    fleet_.connect_all();
    fleet_.fall_idle();
    for (const Talker& talker : fleet_.talkers()) {
      handles_.push_back(fleet_.endpoint().find(talker.path).value());
    }
  }

  MoveRates run(int rounds) {
    MoveRates rates;
    const auto count = static_cast<double>(handles_.size());
    for (int round = 0; round < rounds; ++round) {
      const double begin = thread_seconds();
      export_all();
      const double middle = thread_seconds();
      restore_all();
      rates.exports.push_back(count / (middle - begin));
      rates.restores.push_back(count / (thread_seconds() - middle));
    }
    return rates;
  }
  // The size of one of them, unsealed.
  double state_size() {
    export_all();
    return static_cast<double>(states_.open(sealed_.front()).state.bytes().size());
  }

 private:
  void export_all() {
    sealed_.clear();
    for (const auto handle : handles_) {
      const auto state = test::must(fleet_.endpoint().export_session(handle, {}, fleet_.now()));
      fleet_.poll_outputs();
      sealed_.push_back(states_.seal(state, fleet_.talkers()[sealed_.size()].path));
    }
  }
  void restore_all() {
    for (std::size_t i = 0; i < handles_.size(); ++i) {
      auto asleep = states_.open(sealed_[i]);
      handles_[i] = test::must(fleet_.endpoint().adopt(fleet_.config(), std::move(asleep.state),
                                                       asleep.path, fleet_.now()));
      fleet_.poll_outputs();
    }
  }

  Fleet fleet_;
  FleetStates states_;
  std::vector<dtls::ConnectionHandle> handles_;
  std::vector<dtls::Buffer> sealed_;
};

Measure rate_measure(const char* name, std::vector<double> MoveRates::* rates,
                     std::size_t sessions) {
  return {.name = std::string("fleet/") + name + "/" + std::to_string(sessions),
          .unit = "1/s",
          .contestants = {{kOurs, Sampled([=](const Plan& plan) {
                             return Mover(sessions).run(plan.rounds).*rates;
                           })}}};
}

}  // namespace

void add_fleet_exports(Measures& measures, std::size_t sessions) {
  measures.push_back(rate_measure("exports", &MoveRates::exports, sessions));
  measures.push_back(rate_measure("restores", &MoveRates::restores, sessions));
  measures.push_back({.name = "fleet/state",
                      .unit = "bytes",
                      .contestants = {{kOurs, Sampled([=](const Plan& /*plan*/) {
                                         return std::vector{Mover(kMoves).state_size()};
                                       })}},
                      .goals = {{"", 256}}});
}

}  // namespace sluice::bench
