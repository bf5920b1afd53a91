// Each flight of a handshake in every order, whole and with each of its datagrams lost. The flights
// before it arrive as they were sent, and so does all that follows.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <iostream>
#include <map>
#include <numeric>
#include <random>
#include <tuple>

#include "sim/scenario.h"
#include "support/bytes.h"
#include "support/handshake_watch.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;

using dtls::Buffer;
using dtls::Duration;
using dtls::Instant;
using dtls::Role;

constexpr std::uint64_t kSeed = 9147;
// A flight of at most so many datagrams comes in all its orders, a longer one in some.
constexpr std::size_t kExhaustive = kSanitized ? 4 : 6;
constexpr int kSamples = kSanitized ? 5 : 50;

// Which datagrams of a flight arrive, one after another.
using Order = std::vector<std::size_t>;

struct Cost {
  std::size_t datagrams = 0;  // sent by both, those included that didn't arrive
  Duration took{};            // until both were connected
};

// One handshake. The client has the first turn.
class Trial {
 public:
  Trial(const Scenario& scenario, std::size_t mtu) : both_(meet(scenario, mtu, kSeed)) {}
  Trial(const Scenario& scenario, std::size_t mtu, Middlebox path)
      : both_(meet(scenario, mtu, kSeed)), path_(std::move(path)) {}

  // The next flight, when it arrives; empty when nobody has anything more to say.
  std::vector<Buffer> next_flight() {
    now_ += kRtt / 2;
    auto flight = sender().take_datagrams();
    datagrams_ += flight.size();
    return flight;
  }
  void deliver(std::vector<Buffer> flight) {
    for (Buffer& datagram : flight) arrive(std::move(datagram));
    client_has_turn_ = !client_has_turn_;
  }
  // Delivers what the order says and lets the handshake go on from there.
  void deliver(const std::vector<Buffer>& flight, const Order& order) {
    VirtualNetwork network({.delay = kRtt / 2}, kSeed, now_);
    network.set_middlebox(path_);
    for (const std::size_t index : order) {
      arrive(flight[index]);
      network.send_pending(receiver(), !client_has_turn_);
    }
    network.run_until(both_.client, both_.server, now_ + 10s);
    const std::size_t sent = network.datagrams_sent();
    network.run_until(both_.client, both_.server, now_ + 60s);
    falls_silent_ = network.datagrams_sent() == sent;
    datagrams_ += sent;
  }

  // Both are connected, agree on a secret and have nothing more to say.
  [[nodiscard]] testing::AssertionResult succeeds() const {
    for (const Peer* peer : {&both_.client, &both_.server}) {
      if (peer->error) return testing::AssertionFailure() << to_string(*peer->error);
      if (!peer->connected) return testing::AssertionFailure() << "not connected";
    }
    if (!falls_silent_) return testing::AssertionFailure() << "somebody goes on sending";
    const auto exported = [](const Peer& peer) {
      Buffer secret(32);
      const auto done =
          peer.connection().export_keying_material(secret, "EXPORTER-test", std::nullopt);
      return done ? to_hex(secret) : to_string(done.error());
    };
    if (exported(both_.client) != exported(both_.server)) {
      return testing::AssertionFailure() << "the exporters differ";
    }
    return testing::AssertionSuccess();
  }
  // Of one that succeeds.
  [[nodiscard]] Cost cost() const {
    const Instant end = std::max(*both_.client.connected_at, *both_.server.connected_at);
    return {datagrams_, end - Instant{}};
  }

 private:
  void arrive(Buffer datagram) {
    const Role from = client_has_turn_ ? Role::client : Role::server;
    for (Buffer& arriving : path_(from, std::move(datagram))) {
      receiver().receive(std::move(arriving), now_);
    }
  }
  Peer& sender() { return client_has_turn_ ? both_.client : both_.server; }
  Peer& receiver() { return client_has_turn_ ? both_.server : both_.client; }

  Encounter both_;
  Middlebox path_ = [](Role, Buffer datagram) { return std::vector<Buffer>{std::move(datagram)}; };
  bool client_has_turn_ = true;
  bool falls_silent_ = true;
  Instant now_{};
  std::size_t datagrams_ = 0;
};

// All orders of a flight of `size` datagrams without those that are lost, or a sample of them. At
// which place the lost one stood makes no difference.
template <class Use>
void for_each_order(std::size_t size, Use&& use) {
  std::mt19937_64 random(kSeed);
  for (std::size_t lost = 0; lost <= size; ++lost) {  // `size`: none
    Order order;
    for (std::size_t i = 0; i < size; ++i) {
      if (i != lost) order.push_back(i);
    }
    if (size <= kExhaustive) {
      do use(order);
      while (std::ranges::next_permutation(order).found);
    } else {
      for (int i = 0; i < kSamples; ++i) {
        use(order);
        std::ranges::shuffle(order, random);
      }
    }
  }
}

using Parameters = std::tuple<Scenario, std::size_t, std::size_t>;

std::string name_of(const Parameters& parameters) {
  const auto& [scenario, mtu, chain] = parameters;
  return scenario.name + "Mtu" + std::to_string(mtu) + "Chain" + std::to_string(chain);
}

auto milliseconds_of(Duration time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
}

class FlightPermutation : public testing::TestWithParam<Parameters> {
 protected:
  static Trial begin() {
    auto [scenario, mtu, chain] = GetParam();
    scenario.chain = chain;
    return {scenario, mtu};
  }
  // The handshake in which all goes well, and its flights' numbers of datagrams.
  void measure() {
    Trial trial = begin();
    for (auto flight = trial.next_flight(); !flight.empty(); flight = trial.next_flight()) {
      flights_.push_back(flight.size());
      trial.deliver(std::move(flight));
    }
    ASSERT_TRUE(trial.succeeds());
    undisturbed_ = trial.cost();
  }

  void try_order(std::size_t disturbed, const Order& order) {
    Trial trial = begin();
    for (std::size_t i = 0; i < disturbed; ++i) trial.deliver(trial.next_flight());
    trial.deliver(trial.next_flight(), order);
    ++trials_;
    ASSERT_TRUE(trial.succeeds());
    const Cost cost = trial.cost();
    // One loss makes either side send its flight again, and costs one timeout at most.
    // A flight that is sent again may need one datagram more, since its fragments have records of
    // their own.
    EXPECT_LE(cost.datagrams, 2 * undisturbed_.datagrams + flights_.size());
    EXPECT_LE(cost.took, undisturbed_.took + kFirstTimeout);
    worst_.datagrams = std::max(worst_.datagrams, cost.datagrams);
    worst_.took = std::max(worst_.took, cost.took);
  }

  std::vector<std::size_t> flights_;
  Cost undisturbed_;
  Cost worst_;
  std::size_t trials_ = 0;
};

TEST_P(FlightPermutation, ConnectsInTimeWithoutAStorm) {
  ASSERT_NO_FATAL_FAILURE(measure());
  for (std::size_t flight = 0; flight < flights_.size(); ++flight) {
    for_each_order(flights_[flight], [&](const Order& order) {
      if (HasFailure()) return;
      SCOPED_TRACE("flight " + std::to_string(flight) + " of " + std::to_string(flights_[flight]) +
                   " datagrams in order " + testing::PrintToString(order));
      try_order(flight, order);
    });
  }
  std::cout << name_of(GetParam()) << ": flights of " << testing::PrintToString(flights_)
            << " datagrams, " << trials_ << " trials; at most " << worst_.datagrams
            << " datagrams (undisturbed " << undisturbed_.datagrams << ") and "
            << milliseconds_of(worst_.took) << " ms (" << milliseconds_of(undisturbed_.took)
            << ")\n";
}

// Where the versions are mixed, the flights are those of the lower one.
std::vector<Scenario> scenarios() {
  std::vector<Scenario> chosen;
  std::ranges::copy_if(all_scenarios(), std::back_inserter(chosen), [](const Scenario& scenario) {
    return scenario.client.highest == scenario.server.highest;
  });
  return chosen;
}

// RFC 9147 section 7: what was acknowledged has been processed or is kept. So while the rest of a
// flight is on its way, this path never delivers it again.
class PromiseKeeper {
 public:
  explicit PromiseKeeper(const HandshakeWatch& watch) : watch_(&watch) {}

  std::vector<Buffer> operator()(Role sender, const Buffer& datagram) {
    Buffer delivered;
    for (const WatchedRecord& record : watch_->records_in(datagram)) {
      Side& from = sides_[sender];
      Side& to = sides_[sender == Role::client ? Role::server : Role::client];
      from.records[record.number] = record;
      from.messages.sent(record);
      from.acknowledged.sent(record);
      for (const auto& number : record.acknowledged) {
        to.acknowledged.arrived(to.records.at(number));
        ++promises_;
      }
      const bool is_promised =
          !record.fragments.empty() &&
          std::ranges::all_of(record.fragments, [&](const WatchedFragment& fragment) {
            return from.acknowledged.has(fragment);
          });
      if (is_promised && !from.messages.has_all()) continue;
      from.messages.arrived(record);
      delivered.insert(delivered.end(), record.bytes.begin(), record.bytes.end());
    }
    std::vector<Buffer> datagrams;
    if (!delivered.empty()) datagrams.push_back(std::move(delivered));
    return datagrams;
  }
  [[nodiscard]] std::size_t promises() const { return promises_; }

 private:
  struct Side {
    std::map<dtls::message::RecordNumber, WatchedRecord> records;
    WatchedMessages messages;
    WatchedMessages acknowledged;
  };
  const HandshakeWatch* watch_;
  std::map<Role, Side> sides_;
  std::size_t promises_ = 0;
};

// Both sides have little more memory for reassembly than one Certificate takes, so that they can
// keep only a part of what arrives out of order.
class ScarceMemory : public testing::TestWithParam<Scenario> {
 protected:
  static constexpr std::size_t kMtu = 256;
  void SetUp() override { show_encounters(&watch_); }
  void TearDown() override { show_encounters(nullptr); }

  // Delivers flights whole until this one, and that one as `choose` says. Its size; 0: there is
  // none.
  template <class Choose>
  std::size_t try_flight(std::size_t disturbed, Choose&& choose) {
    watch_.clear();
    PromiseKeeper keeper(watch_);
    Scenario scenario = GetParam();
    scenario.chain = 8;
    scenario.memory = 4096;
    Trial trial(scenario, kMtu, std::ref(keeper));
    for (std::size_t i = 0; i < disturbed; ++i) trial.deliver(trial.next_flight());
    const auto flight = trial.next_flight();
    const Order order = choose(flight.size());
    trial.deliver(flight, order);
    EXPECT_TRUE(trial.succeeds()) << "flight " << disturbed << " of " << flight.size()
                                  << " datagrams in order " << testing::PrintToString(order);
    promises_ += keeper.promises();
    return flight.size();
  }

  HandshakeWatch watch_;
  std::size_t promises_ = 0;
};

TEST_P(ScarceMemory, WhatIsAcknowledgedIsKept) {
  std::mt19937_64 random(kSeed);
  int trials = 0;
  for (std::size_t disturbed = 0; disturbed < 6 && !HasFailure(); ++disturbed) {
    std::size_t size = 0;
    for (int i = 0; i < kSamples && !HasFailure(); ++i, ++trials) {
      size = try_flight(disturbed, [&](std::size_t datagrams) {
        Order order(datagrams);
        std::iota(order.begin(), order.end(), 0U);
        // Some arrive in order but for a few that are lost, some in any order.
        if (i % 2 == 0) std::ranges::shuffle(order, random);
        for (int lost = 0; lost < 1 + i % 3 && order.size() > 1; ++lost) {
          order.erase(order.begin() + static_cast<std::ptrdiff_t>(random() % order.size()));
        }
        return order;
      });
      if (size == 0) break;
    }
    if (size == 0) break;
  }
  std::cout << GetParam().name << ": " << trials << " trials, " << promises_
            << " records acknowledged\n";
}

INSTANTIATE_TEST_SUITE_P(Flights, ScarceMemory, testing::ValuesIn([] {
                           auto chosen = scenarios();
                           std::erase_if(chosen, [](const Scenario& scenario) {
                             return scenario.version() != dtls::ProtocolVersion::dtls13 ||
                                    scenario.resumes();
                           });
                           return chosen;
                         }()),
                         [](const auto& tried) { return tried.param.name; });

INSTANTIATE_TEST_SUITE_P(Flights, FlightPermutation,
                         testing::Combine(testing::ValuesIn(scenarios()),
                                          testing::Values(std::size_t{256}, std::size_t{1200}),
                                          testing::Values(1U, 2U, 3U, 8U)),
                         [](const auto& tried) { return name_of(tried.param); });

}  // namespace
}  // namespace sluice::test
