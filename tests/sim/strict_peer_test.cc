// Handshakes with a peer that cannot use what other stacks cannot use either, over a bad path. Each
// has a seed of its own, which a failure prints.
#include <gtest/gtest.h>

#include <iostream>
#include <random>
#include <string>
#include <tuple>

#include "sim/scenario.h"
#include "support/strict_peer.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;

using dtls::Role;

constexpr dtls::Duration kLimit = 90s;
constexpr int kHandshakes = kSanitized ? 20 : 100;
constexpr std::size_t kChain = 9;  // certificates, of about 450 bytes

using Parameters = std::tuple<Scenario, Role, std::size_t>;

std::string name_of(const Parameters& parameters) {
  const auto& [scenario, strict, mtu] = parameters;
  const std::string who = strict == Role::client ? "StrictClient" : "StrictServer";
  return scenario.name + who + "Mtu" + std::to_string(mtu);
}

struct Outcome {
  bool completed = false;
  bool falls_silent = false;
  std::size_t refused = 0;
  std::string why;
};

std::string describe(const Peer& peer) {
  return peer.error ? to_string(*peer.error) : peer.connected ? "connected" : "still waiting";
}

Outcome simulate(const Parameters& parameters, HandshakeWatch& watch, std::uint64_t seed) {
  auto [scenario, strict, mtu] = parameters;
  scenario.chain = kChain;
  watch.clear();
  auto [client, server] = meet(scenario, mtu, seed);
  const bool has_retry = scenario.name.find("HelloRetryRequest") != std::string::npos;
  StrictPeer peer(strict, watch, has_retry ? 2 : 1);
  VirtualNetwork network({.loss = 0.2, .duplicate = 0.1, .delay = kRtt / 2 - 5ms, .jitter = 10ms},
                         seed);
  network.set_middlebox(
      [&](Role sender, const dtls::Buffer& datagram) { return peer(sender, datagram); });
  network.run_handshake(client, server, kLimit);
  // The last ACKs come late too.
  network.run_until(client, server, network.now() + 2 * kLimit);
  const std::size_t sent = network.datagrams_sent();
  network.run_until(client, server, network.now() + 2 * kLimit);

  const bool is_resumed = scenario.resumes();
  const auto as_meant = [&](const Peer& side) {
    return side.connected && !side.error && side.connected->version == scenario.version() &&
           side.connected->resumed == is_resumed;
  };
  return {as_meant(client) && as_meant(server), network.datagrams_sent() == sent, peer.refused(),
          "client: " + describe(client) + ", server: " + describe(server)};
}

class StrictPeerSim : public testing::TestWithParam<Parameters> {
 protected:
  void SetUp() override { show_encounters(&watch_); }
  void TearDown() override { show_encounters(nullptr); }

  HandshakeWatch watch_;
};

TEST_P(StrictPeerSim, Completes) {
  const auto& [scenario, strict, mtu] = GetParam();
  std::size_t refused = 0;
  for (int i = 0; i < kHandshakes; ++i) {
    const std::uint64_t seed = scenario.number * 100'000 + mtu * 10 + static_cast<unsigned>(i);
    const Outcome outcome = simulate(GetParam(), watch_, seed);
    EXPECT_TRUE(outcome.completed) << "seed " << seed << ": " << outcome.why;
    EXPECT_TRUE(outcome.falls_silent) << "seed " << seed;
    refused += outcome.refused;
  }
  std::cout << name_of(GetParam()) << ": " << kHandshakes << " handshakes, " << refused
            << " records refused\n";
}

std::vector<Scenario> scenarios() {
  std::vector<Scenario> chosen;
  for (const Scenario& scenario : all_scenarios()) {
    const bool is_chosen = scenario.name == "Dtls12" || scenario.name == "Dtls13" ||
                           scenario.name == "Dtls13HelloRetryRequest" ||
                           scenario.name == "Dtls13Hybrid";
    if (is_chosen) chosen.push_back(scenario);
  }
  return chosen;
}

INSTANTIATE_TEST_SUITE_P(Peers, StrictPeerSim,
                         testing::Combine(testing::ValuesIn(scenarios()),
                                          testing::Values(Role::client, Role::server),
                                          testing::Values(std::size_t{300}, std::size_t{1200})),
                         [](const auto& tried) { return name_of(tried.param); });

}  // namespace
}  // namespace sluice::test
