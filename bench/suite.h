// What is measured: each measure is one declaration, with ours, its peers and its goals. What can
// be timed by Google Benchmark is; the rest gives its samples itself.
#pragma once

#include <benchmark/benchmark.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace sluice::bench {

// How much of everything a run does.
struct Plan {
  bool quick = false;
  bool million = false;
  int rounds = 15;
  double slice_seconds = 0.005;  // of CPU time, each round of what is timed
  std::size_t sessions = 10'000;
  std::size_t calls = 1000;  // simulated, of each path
  // Of a fleet; empty: no fleet is measured. The others are compared with the first.
  std::vector<std::size_t> fleets = {};
  std::vector<std::size_t> fan_outs = {};  // receivers
  std::string pion_fan_out = {};           // bench/pion, built; empty: it is not there
};
Plan quick_plan();

// CPU time of one iteration, by Google Benchmark.
struct Timed {
  std::function<void(benchmark::State&)> run;
  std::int64_t iterations = 0;  // 0: as many as fill the slice
};
// Anything else: figures in the measure's unit.
using Sampled = std::function<std::vector<double>(const Plan&)>;

struct Contestant {
  std::string name;  // "ours", "libssl", "gnutls", "floor", "evp", "libsrtp"
  std::variant<Timed, Sampled> work;
};
inline constexpr const char* kOurs = "ours";

// Ours is to be at most `limit` times the peer's, or, where there is no peer, at most `limit`.
struct Goal {
  std::string peer;
  double limit;
};

struct Measure {
  std::string name;  // subject/what/of what
  std::string unit;
  double per_second = 1;  // of what is timed: the unit's figure for one second an iteration
  bool is_rate = false;   // the figure is per_second divided by the time
  std::vector<Contestant> contestants;  // ours first
  std::vector<Goal> goals = {};
};

// What the rounds gave.
struct Figure {
  double median = 0;
  double spread = 0;  // of the middle half of them, as part of the median
};

struct Peer {
  Figure figure;
  // Ours to the peer's: the median of the rounds' ratios, which a noisy machine disturbs less than
  // the ratio of the medians.
  double ratio = 0;
};

struct Outcome {
  std::string name;
  std::string unit;
  Figure ours;
  std::map<std::string, Peer> peers;
  std::vector<Goal> goals;

  // Empty: there is no goal.
  [[nodiscard]] std::optional<bool> met() const;
  [[nodiscard]] bool met(const Goal& goal) const;
};

// In each round every contestant has a turn, so that whatever slows the machine slows all.
Outcome run(const Measure& measure, const Plan& plan);

}  // namespace sluice::bench
