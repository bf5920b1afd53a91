#include "suite.h"

#include <algorithm>
#include <stdexcept>

namespace sluice::bench {
namespace {

using Samples = std::map<std::string, std::vector<double>>;

// Gathers what each contestant took, and how often it ran.
class Collector : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context& /*context*/) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      if (run.error_occurred) throw std::runtime_error(run.benchmark_name() + run.error_message);
      const auto& name = run.run_name.function_name;
      seconds[name] = run.cpu_accumulated_time / static_cast<double>(run.iterations);
      iterations[name] = run.iterations;
    }
  }
  std::map<std::string, double> seconds;  // an iteration
  std::map<std::string, std::int64_t> iterations;
};

// One turn of each; with as many iterations as are said, or, at first, as fill the slice.
Collector run_round(const std::vector<Contestant>& contestants, const Plan& plan,
                    const std::map<std::string, std::int64_t>& iterations) {
  benchmark::ClearRegisteredBenchmarks();
  for (const Contestant& contestant : contestants) {
    const auto& timed = std::get<Timed>(contestant.work);
    auto* registered = benchmark::RegisterBenchmark(contestant.name.c_str(), timed.run);
    if (const auto found = iterations.find(contestant.name); found != iterations.end()) {
      registered->Iterations(found->second);
    } else if (timed.iterations != 0) {
      registered->Iterations(timed.iterations);
    } else {
      registered->MinTime(plan.slice_seconds);
    }
  }
  Collector collector;
  benchmark::RunSpecifiedBenchmarks(&collector, ".");
  return collector;
}

Samples time_all(const Measure& measure, const Plan& plan) {
  std::vector<Contestant> timed;
  std::ranges::copy_if(measure.contestants, std::back_inserter(timed), [](const auto& contestant) {
    return std::holds_alternative<Timed>(contestant.work);
  });
  if (timed.empty()) return {};
  Samples samples;
  // How many iterations fill the slice? In the first trial what is made once is made, and any trial
  // may be interrupted, after which too few would seem to be enough.
  constexpr int kTrials = 3;
  std::map<std::string, std::int64_t> iterations;
  for (int trial = 0; trial < kTrials; ++trial) {
    for (const auto& [name, count] : run_round(timed, plan, {}).iterations) {
      iterations[name] = std::max(iterations[name], count);
    }
  }
  for (int round = 0; round < plan.rounds; ++round) {
    // Nobody always comes after the same other.
    std::ranges::rotate(timed, timed.begin() + 1);
    for (const auto& [name, seconds] : run_round(timed, plan, iterations).seconds) {
      samples[name].push_back(measure.is_rate ? measure.per_second / seconds
                                              : measure.per_second * seconds);
    }
  }
  return samples;
}

Figure figure_of(std::vector<double> samples) {
  if (samples.empty()) throw std::runtime_error("nothing was measured");
  std::ranges::sort(samples);
  const std::size_t middle = samples.size() / 2;
  const double median =
      samples.size() % 2 == 1 ? samples[middle] : (samples[middle - 1] + samples[middle]) / 2;
  // Without the outermost quarters.
  const double spread =
      samples[samples.size() - 1 - samples.size() / 4] - samples[samples.size() / 4];
  return {.median = median, .spread = median == 0 ? 0 : spread / median};
}

double ratio_of(const std::vector<double>& ours, const std::vector<double>& peer) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < std::min(ours.size(), peer.size()); ++i) {
    ratios.push_back(ours[i] / peer[i]);
  }
  return figure_of(std::move(ratios)).median;
}

}  // namespace

Plan quick_plan() {
  return {.quick = true, .rounds = 3, .slice_seconds = 0.0005, .sessions = 200, .calls = 20};
}

bool Outcome::met(const Goal& goal) const {
  return (goal.peer.empty() ? ours.median : peers.at(goal.peer).ratio) <= goal.limit;
}

std::optional<bool> Outcome::met() const {
  if (goals.empty()) return std::nullopt;
  return std::ranges::all_of(goals, [&](const Goal& goal) { return met(goal); });
}

Outcome run(const Measure& measure, const Plan& plan) {
  Samples samples = time_all(measure, plan);
  for (const Contestant& contestant : measure.contestants) {
    if (const auto* sampled = std::get_if<Sampled>(&contestant.work)) {
      samples[contestant.name] = (*sampled)(plan);
    }
  }
  Outcome outcome{.name = measure.name,
                  .unit = measure.unit,
                  .ours = figure_of(samples.at(kOurs)),
                  .peers = {},
                  .goals = measure.goals};
  for (const auto& [name, values] : samples) {
    if (name == kOurs) continue;
    outcome.peers.emplace(
        name, Peer{.figure = figure_of(values), .ratio = ratio_of(samples.at(kOurs), values)});
  }
  return outcome;
}

}  // namespace sluice::bench
