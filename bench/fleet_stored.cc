// A fleet that sleeps in a store: what its sessions take there, and how long it takes from the
// datagram of one to the plaintext.
#include <algorithm>
#include <chrono>
#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <stdexcept>
#include <utility>

#include "fleet.h"
#include "fleet_states.h"
#include "fleet_store.h"
#include "heap.h"
#include "measures.h"
#include "resident.h"
#include "support/bytes.h"

namespace sluice::bench {
namespace {

using namespace std::chrono_literals;
namespace stores = session_stores;

constexpr unsigned kSeed = 15;
// The handshake's last flight is gone by then, and is no part of the state.
constexpr auto kAgeAfter = 5min;
// Of virtual time between two handshakes: some 30,000 sessions are live meanwhile.
constexpr auto kInterval = 10ms;
constexpr std::size_t kPutsAtOnce = 2048;
constexpr auto kMostWait = 60s;

class StoredFleet {
 public:
  StoredFleet(StoreKind kind, std::size_t sessions)
      : store_(make_fleet_store(kind)),
        fleet_({.sessions = sessions,
                .talkers = std::min(sessions / 20, kMaxTalkers),
                .interval = kInterval,
                .endpoint = {.age_after = kAgeAfter, .waking = {.max_wanted = 16}},
                .on_event = [this](const dtls::EndpointEvent& event) { on_event(event); }}),
        states_(fleet_.environment()) {
    const double before = store_->bytes();
    const auto begin = std::chrono::steady_clock::now();
    fleet_.connect_all();
    fleet_.pass_until(fleet_.now() + kAgeAfter + 2s);
    while (sessions_under_way() > 0) take_outcome();
    seconds_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    check_count();
    bytes_each_ = (store_->bytes() - before) / static_cast<double>(sessions);
    resident_ = resident_memory();
  }

  [[nodiscard]] double bytes_each() const { return bytes_each_; }
  [[nodiscard]] const Resident& resident() const { return resident_; }
  [[nodiscard]] double rate() const { return static_cast<double>(fleet_.sessions()) / seconds_; }
  // In microseconds, from the least on.
  const std::vector<double>& wake_times() {
    if (wake_times_.empty()) wake_all();
    return wake_times_;
  }

 private:
  std::size_t sessions_under_way() { return store_->sessions().pending(); }

  void on_event(const dtls::EndpointEvent& event) {
    if (const auto* aged = std::get_if<dtls::SessionAged>(&event.what)) put(*aged);
  }
  void put(const dtls::SessionAged& aged) {
    const dtls::Buffer sealed = states_.seal(aged.state, aged.path);
    const auto ids = aged.state.own_connection_ids();
    std::vector<dtls::Bytes> names;
    for (const dtls::ConnectionId& id : ids) names.push_back(id.bytes());
    while (sessions_under_way() >= kPutsAtOnce) take_outcome();
    const auto accepted = store_->sessions().put(
        {}, {.connection_ids = names, .session = sealed, .lifetime = std::chrono::days{30}});
    if (!accepted) throw std::runtime_error("the store does not take a session");
  }
  stores::Outcome take_outcome() {
    if (!store_->sessions().wait(kMostWait)) throw std::runtime_error("the store does not answer");
    auto outcome = std::move(store_->sessions().poll().value().outcome);
    if (const auto* failed = std::get_if<stores::Failed>(&outcome)) {
      throw std::runtime_error("the store: " + std::string(to_string(failed->error)));
    }
    return outcome;
  }
  void check_count() {
    if (!store_->sessions().count({})) throw std::runtime_error("the store does not count");
    const auto count = std::get<stores::CountDone>(take_outcome()).sessions;
    const bool all_sleep = fleet_.endpoint().size() == 0 && count == fleet_.sessions();
    if (!all_sleep) throw std::runtime_error("sessions are missing");
  }

  // Each once, at random.
  void wake_all() {
    store_->settle();
    std::vector<Talker>& talkers = fleet_.talkers();
    std::ranges::shuffle(talkers, std::mt19937(kSeed));
    for (Talker& talker : talkers) {
      const std::string_view text = "21 degrees";
      dtls::Buffer record(text.size() + dtls::kSealOverhead);
      record.resize(talker.connection.seal(test::bytes_of(text), record).value());
      const auto begin = std::chrono::steady_clock::now();
      const bool arrived = wake(record, talker.path, text);
      const std::chrono::duration<double, std::micro> took =
          std::chrono::steady_clock::now() - begin;
      if (!arrived) throw std::runtime_error("a session does not wake");
      fleet_.poll_outputs();
      wake_times_.push_back(took.count());
    }
    std::ranges::sort(wake_times_);
  }
  // What a server does from the datagram to the plaintext. It waits for the store and does nothing
  // else meanwhile.
  bool wake(dtls::MutableBytes record, const dtls::UdpPath& path, std::string_view text) {
    dtls::Endpoint& endpoint = fleet_.endpoint();
    endpoint.handle_datagram(record, path, fleet_.now());
    const auto event = endpoint.poll_event();
    const auto* wanted = event ? std::get_if<dtls::SessionWanted>(&event->what) : nullptr;
    if (wanted == nullptr) return false;
    if (!store_->sessions().take({}, wanted->connection_id.bytes())) return false;
    const auto taken = std::get<stores::TakeDone>(take_outcome());
    if (taken.session.empty()) return false;
    AsleepSession asleep = states_.open(taken.session);
    if (!endpoint.restore_wanted(wanted->wanted, fleet_.config(), std::move(asleep.state),
                                 asleep.path, fleet_.now())) {
      return false;
    }
    fleet_.poll_outputs();  // SessionRestored
    endpoint.handle_timeout(fleet_.now());
    const auto data = endpoint.poll_data();
    return data && std::ranges::equal(data->bytes, test::bytes_of(text));
  }

  std::unique_ptr<FleetStore> store_;
  Fleet fleet_;
  FleetStates states_;
  double seconds_ = 0;
  double bytes_each_ = 0;
  Resident resident_;
  std::vector<double> wake_times_;
};

// One exists at a time.
StoredFleet& stored_fleet(StoreKind kind, std::size_t sessions) {
  using Key = std::pair<StoreKind, std::size_t>;
  static std::map<Key, std::unique_ptr<StoredFleet>> fleet;
  const Key key(kind, sessions);
  if (!fleet.contains(key)) {
    fleet.clear();
    trim_heap();
    fleet.emplace(key, std::make_unique<StoredFleet>(kind, sessions));
  }
  return *fleet.at(key);
}

double percentile(const std::vector<double>& sorted, std::size_t percent) {
  return sorted.at((sorted.size() - 1) * percent / 100);
}

using StoredFigure = double (*)(StoredFleet&);

Measure stored_measure(const char* what, StoreKind kind, std::size_t sessions, const char* unit,
                       StoredFigure figure, std::vector<Goal> goals = {}) {
  return {
      .name = std::string("fleet/") + name_of(kind) + "/" + what + "/" + std::to_string(sessions),
      .unit = unit,
      .contestants = {{kOurs, Sampled([=](const Plan& /*plan*/) {
                         return std::vector{figure(stored_fleet(kind, sessions))};
                       })}},
      .goals = std::move(goals)};
}

void add_stored(Measures& measures, StoreKind kind, std::size_t sessions) {
  if (const std::string missing = missing_for(kind); !missing.empty()) {
    std::cerr << "fleet/" << name_of(kind) << ": skipped, " << missing << '\n';
    return;
  }
  const auto add = [&](const char* what, const char* unit, StoredFigure figure,
                       std::vector<Goal> goals = {}) {
    measures.push_back(stored_measure(what, kind, sessions, unit, figure, std::move(goals)));
  };
  std::vector<Goal> anonymous_goal;
  std::vector<Goal> p50_goal;
  std::vector<Goal> p99_goal;
  if (kind == StoreKind::lmdb) p50_goal = {{"", 100}};
  if (kind == StoreKind::lmdb && sessions >= kLargeFleet) {
    p99_goal = {{"", 5000}};
    anonymous_goal = {{"", 1500}};
  }
  add("ageing", "1/s", [](StoredFleet& fleet) { return fleet.rate(); });
  add("bytes", "bytes each", [](StoredFleet& fleet) { return fleet.bytes_each(); });
  add(
      "anonymous", "MB", [](StoredFleet& fleet) { return fleet.resident().anonymous; },
      anonymous_goal);
  add("mapped", "MB", [](StoredFleet& fleet) { return fleet.resident().files; });
  add(
      "wake_p50", "us", [](StoredFleet& fleet) { return percentile(fleet.wake_times(), 50); },
      p50_goal);
  add(
      "wake_p99", "us", [](StoredFleet& fleet) { return percentile(fleet.wake_times(), 99); },
      p99_goal);
}

}  // namespace

void add_lmdb_fleet(Measures& measures, std::size_t sessions) {
  add_stored(measures, StoreKind::lmdb, sessions);
}

void add_redis_fleet(Measures& measures, std::size_t sessions) {
  add_stored(measures, StoreKind::redis, sessions);
}

}  // namespace sluice::bench
