// Thousands of handshakes over bad paths, in virtual time. Each has a seed of its own, which a
// failure prints: SLUICE_SIM_SEED=<seed> runs that one alone.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>
#include <tuple>

#include "support/endpoints.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;

using dtls::ProtocolVersion;

constexpr dtls::Duration kLimit = 60s;
constexpr int kHandshakes = 1000;

struct Outcome {
  bool completed = false;
  dtls::Duration took{};
  std::string why;
};

std::string describe(const Peer& peer) {
  return peer.error ? to_string(*peer.error) : peer.connected ? "connected" : "still waiting";
}

// One handshake at the loss given; MTU, reordering and duplicates are drawn from the seed.
Outcome simulate(double loss, ProtocolVersion version, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  dtls::ConfigOptions chosen = options();
  chosen.max_version = version;
  chosen.mtu = std::uniform_int_distribution<std::size_t>(256, 1500)(random);
  const auto config = make_config(chosen);
  Peer client = make_client(config);
  Peer server = make_server(config);
  client.connection().set_path_rtt(100ms);
  server.connection().set_path_rtt(100ms);

  PathConditions path;
  path.loss = loss;
  path.duplicate = 0.05;
  path.delay = 45ms;
  path.jitter = 10ms;  // a round trip of 90 to 110 ms; datagrams of a flight overtake each other
  VirtualNetwork network(path, random());
  network.run_handshake(client, server, kLimit);

  Outcome outcome;
  outcome.completed = client.connected && server.connected;
  if (outcome.completed) {
    outcome.took = std::max(*client.connected_at, *server.connected_at) - dtls::Instant{};
    return outcome;
  }
  outcome.why = "client: " + describe(client) + ", server: " + describe(server) + ", mtu " +
                std::to_string(chosen.mtu);
  return outcome;
}

std::uint64_t seed_of(double loss, ProtocolVersion version, int number) {
  const std::uint64_t kind =
      static_cast<std::uint64_t>(loss * 100) * 10 + (version == ProtocolVersion::dtls13 ? 3 : 0);
  return kind * 100'000 + static_cast<std::uint64_t>(number);
}

void print_distribution(double loss, ProtocolVersion version, std::vector<dtls::Duration>& times,
                        int failures) {
  std::ranges::sort(times);
  const auto percentile = [&](double share) {
    const auto index = static_cast<std::size_t>(share * static_cast<double>(times.size() - 1));
    return std::chrono::duration_cast<std::chrono::milliseconds>(times[index]).count();
  };
  std::cout << to_string(version) << ", loss " << static_cast<int>(loss * 100)
            << " %: " << times.size() << " complete, " << failures << " not; virtual ms: median "
            << percentile(0.5) << ", p90 " << percentile(0.9) << ", p99 " << percentile(0.99)
            << ", max " << percentile(1) << "\n";
}

class HandshakeSim : public testing::TestWithParam<std::tuple<ProtocolVersion, double>> {};

TEST_P(HandshakeSim, CompletesDespiteLoss) {
  const auto [version, loss] = GetParam();
  std::vector<dtls::Duration> times;
  int failures = 0;
  const char* only = std::getenv("SLUICE_SIM_SEED");
  for (int i = 0; i < kHandshakes; ++i) {
    const std::uint64_t seed = seed_of(loss, version, i);
    if (only != nullptr && std::strtoull(only, nullptr, 10) != seed) continue;
    const Outcome outcome = simulate(loss, version, seed);
    if (outcome.completed) {
      times.push_back(outcome.took);
    } else {
      ++failures;
      std::cout << "seed " << seed << ": " << outcome.why << "\n";
    }
  }
  if (!times.empty()) print_distribution(loss, version, times, failures);
  // At 50 % in each direction three datagrams of four have no answer: a few may take over a minute.
  EXPECT_LE(failures, loss >= 0.5 ? kHandshakes / 100 : 0);
}

std::string name_of(const testing::TestParamInfo<std::tuple<ProtocolVersion, double>>& info) {
  const auto [version, loss] = info.param;
  return std::string(version == ProtocolVersion::dtls13 ? "Dtls13" : "Dtls12") + "Loss" +
         std::to_string(static_cast<int>(loss * 100)) + "Percent";
}

INSTANTIATE_TEST_SUITE_P(Loss, HandshakeSim,
                         testing::Combine(testing::Values(ProtocolVersion::dtls12,
                                                          ProtocolVersion::dtls13),
                                          testing::Values(0.0, 0.1, 0.3, 0.5)),
                         name_of);

}  // namespace
}  // namespace sluice::test
