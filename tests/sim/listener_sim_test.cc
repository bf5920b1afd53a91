// Handshakes through a Listener over bad paths, in virtual time: what answers the first hello keeps
// nothing and repeats nothing, so it is the client that asks again. Each has a seed of its own,
// which a failure prints: SLUICE_SIM_SEED=<seed> runs that one alone.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>
#include <tuple>

#include "support/by_version.h"
#include "support/bytes.h"
#include "support/listening_server.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;

using dtls::Buffer;
using dtls::Instant;
using dtls::ProtocolVersion;

constexpr dtls::Duration kLimit = 60s;
constexpr int kHandshakes = 500;

// One client's way to a ListeningServer and back.
class Path {
 public:
  Path(Peer& client, ListeningServer& server, double loss, std::uint64_t seed)
      : client_(client), server_(server), loss_(loss), random_(seed) {}

  // Whether both got connected in time.
  bool run_handshake() {
    while (now_ < Instant{kLimit} && !client_.error) {
      const Peer* peer = server_.connection(address_);
      if (client_.connected && peer != nullptr && peer->connected) return true;
      if (!step()) return false;
    }
    return false;
  }

  [[nodiscard]] Instant now() const { return now_; }
  [[nodiscard]] const Buffer& address() const { return address_; }

 private:
  struct InFlight {
    bool to_server;
    Buffer datagram;
  };

  bool step() {
    send(client_.take_datagrams(), true);
    Peer* peer = server_.connection(address_);
    const auto timeout_of = [](Peer* side) {
      return side == nullptr ? Instant::max()
                             : side->connection().next_timeout().value_or(Instant::max());
    };
    const Instant arrival = in_flight_.empty() ? Instant::max() : in_flight_.begin()->first;
    const Instant next = std::min({arrival, timeout_of(&client_), timeout_of(peer)});
    if (next == Instant::max()) return false;
    now_ = std::max(now_, next);
    if (next == arrival) {
      auto arrived = in_flight_.extract(in_flight_.begin()).mapped();
      if (arrived.to_server) {
        send(server_.receive(std::move(arrived.datagram), address_, now_), false);
      } else {
        client_.receive(std::move(arrived.datagram), now_);
      }
    } else if (next == timeout_of(&client_)) {
      client_.settle(client_.connection().handle_timeout(now_), now_);
    } else {
      peer->settle(peer->connection().handle_timeout(now_), now_);
      send(peer->take_datagrams(), false);
    }
    return true;
  }

  void send(const std::vector<Buffer>& datagrams, bool to_server) {
    for (const Buffer& datagram : datagrams) {
      const bool twice = chance_(random_) < 0.05;
      for (int copies = twice ? 2 : 1; copies > 0; --copies) {
        if (chance_(random_) < loss_) continue;
        const dtls::Duration late{std::uniform_int_distribution<dtls::Duration::rep>(
            0, dtls::Duration(10ms).count())(random_)};
        in_flight_.emplace(now_ + 45ms + late, InFlight{to_server, datagram});
      }
    }
  }

  Peer& client_;
  ListeningServer& server_;
  double loss_;
  std::mt19937_64 random_;
  std::uniform_real_distribution<> chance_{0, 1};
  Buffer address_ = from_hex("7f000001 1234");
  Instant now_{};
  std::multimap<Instant, InFlight> in_flight_;
};

// Why it failed; empty when it didn't. MTU, group and the cookie's lifetime are drawn from the
// seed.
std::string simulate(double loss, ProtocolVersion version, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  dtls::ConfigOptions options = options_for(version);
  options.mtu = std::uniform_int_distribution<std::size_t>(256, 1500)(random);
  options.timers.total = 2 * kLimit;
  Peer client = make_client(make_config(options));
  client.connection().set_path_rtt(100ms);
  // The client's first share is another's half of the time.
  if (random() % 2 == 0) options.groups = {dtls::NamedGroup::secp256r1};
  ListeningServer server(make_config(options), {.unfinished_hellos = 1});
  Path path(client, server, loss, random());
  const bool done = path.run_handshake();
  const auto& statistics = server.listener.statistics();
  if (statistics.bytes_sent > statistics.bytes_received) return "it said more than it heard";
  if (statistics.admissions > 1) return "let in more than once";
  if (done && !works(client, path.address(), server)) return "no data passes";
  if (done) return {};
  return client.error ? to_string(*client.error)
                      : "still waiting, mtu " + std::to_string(options.mtu);
}

class ListenerSim : public testing::TestWithParam<std::tuple<ProtocolVersion, double>> {};

TEST_P(ListenerSim, CompletesDespiteLoss) {
  const auto [version, loss] = GetParam();
  const char* only = std::getenv("SLUICE_SIM_SEED");
  int failures = 0;
  for (int i = 0; i < kHandshakes; ++i) {
    const auto seed = static_cast<std::uint64_t>(loss * 100) * 1'000'000 +
                      (version == ProtocolVersion::dtls13 ? 300'000U : 0U) +
                      static_cast<std::uint64_t>(i);
    if (only != nullptr && std::strtoull(only, nullptr, 10) != seed) continue;
    const std::string why = simulate(loss, version, seed);
    if (why.empty()) continue;
    ++failures;
    std::cout << "seed " << seed << ": " << why << "\n";
  }
  // At 50 % in each direction three datagrams of four have no answer.
  EXPECT_LE(failures, loss >= 0.5 ? kHandshakes / 50 : 0);
}

std::string name_of(const testing::TestParamInfo<std::tuple<ProtocolVersion, double>>& info) {
  const auto [version, loss] = info.param;
  return version_name(version) + "Loss" + std::to_string(static_cast<int>(loss * 100)) + "Percent";
}

INSTANTIATE_TEST_SUITE_P(Loss, ListenerSim,
                         testing::Combine(testing::Values(ProtocolVersion::dtls12,
                                                          ProtocolVersion::dtls13),
                                          testing::Values(0.0, 0.1, 0.3, 0.5)),
                         name_of);

}  // namespace
}  // namespace sluice::test
