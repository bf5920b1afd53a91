// Connections of one Endpoint, each from an address of its own, with DTLS 1.3 and an external PSK:
// what they take, and what a timer and a datagram cost beside them. No peer is compared with:
// libssl has no such thing.
#include <benchmark/benchmark.h>
#include <sluice/dtls/endpoint.h>

#include <array>
#include <chrono>
#include <deque>
#include <memory>
#include <stdexcept>

#include "device_exchange.h"
#include "heap.h"
#include "measures.h"
#include "support/bytes.h"
#include "support/endpoints.h"

namespace sluice::bench {
namespace {

using namespace std::chrono_literals;
using dtls::Instant;

// As many clients stay alive, to send something.
constexpr std::size_t kTalkers = 1000;
// Each fires one timer, and there are at least a thousand.
constexpr std::int64_t kWakeUps = 50;

dtls::ConfigPtr make_psk_config() {
  dtls::ConfigOptions options;
  options.pre_shared_keys = {
      test::must(dtls::PreSharedKey::make(test::bytes_of("sensor"), test::counted(32)))};
  options.min_version = dtls::ProtocolVersion::dtls13;
  options.cipher_suites = {dtls::CipherSuite::aes_128_gcm_sha256};
  options.srtp_profiles = {};
  return test::make_config(options);
}

class ManyConnections {
 public:
  explicit ManyConnections(std::size_t size)
      : config_(make_psk_config()),
        before_(heap_in_use()),
        endpoint_(test::must(dtls::Endpoint::make({.server = config_,
                                                   .max_connections = size,
                                                   .max_half_open_per_host = 0,
                                                   .reserved_connections = size},
                                                  test::environment()))) {
    for (std::size_t i = 0; i < size; ++i) {
      now_ += 100us;
      connect(i);
    }
  }

  [[nodiscard]] dtls::Endpoint& endpoint() { return endpoint_; }

  void wake_one() {
    now_ = std::max(now_, *endpoint_.next_timeout());
    endpoint_.handle_timeout(now_);
  }
  // Until no timer runs any more: what a handshake leaves behind for a while has gone.
  void fall_idle() {
    while (endpoint_.next_timeout()) wake_one();
    heap_idle_ = heap_in_use() - before_ - heap_of_talkers_;
  }
  // One record of each talker.
  void seal() {
    const dtls::Buffer data(64);
    for (auto& talker : talkers_) {
      talker.record.resize(data.size() + dtls::kSealOverhead);
      talker.record.resize(talker.connection.seal(data, talker.record).value());
    }
  }
  void receive(std::size_t talker) {
    auto& [connection, path, record] = talkers_[talker % talkers_.size()];
    endpoint_.handle_datagram(record, path, now_);
    benchmark::DoNotOptimize(endpoint_.poll_data());
  }
  [[nodiscard]] std::size_t talkers() const { return talkers_.size(); }

  [[nodiscard]] double bytes_each_idle() const { return each(heap_idle_); }

 private:
  struct Talker {
    dtls::Connection connection;
    dtls::UdpPath path;
    dtls::Buffer record;
  };

  [[nodiscard]] double each(double bytes) const {
    return bytes / static_cast<double>(endpoint_.size());
  }

  void connect(std::size_t i) {
    const dtls::UdpPath path{
        .peer = {dtls::Ipv4Address{10, static_cast<std::uint8_t>(i >> 16),
                                   static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)},
                 5684}};
    // To ask that takes the longer the more there are.
    const bool is_talker = talkers_.size() < kTalkers;
    const double before = is_talker ? heap_in_use() : 0;
    auto client =
        test::must(dtls::Connection::client(config_, test::environment(), test::kPath, now_));
    while (exchange(client, endpoint_, path, now_)) continue;
    if (!client.connected()) throw std::runtime_error("handshake failed");
    if (!is_talker) return;
    const double of_both = heap_in_use() - before;
    talkers_.push_back({std::move(client), path, {}});
    // Both ends of a connection hold the same: good enough for one of a thousand.
    heap_of_talkers_ += of_both / 2;
  }

  dtls::ConfigPtr config_;
  double before_;
  dtls::Endpoint endpoint_;
  Instant now_{};
  std::deque<Talker> talkers_;
  double heap_of_talkers_ = 0;
  double heap_idle_ = 0;
};

// The one that is being measured; the one before is gone when the next is made.
ManyConnections& connections_of(std::size_t size) {
  static std::unique_ptr<ManyConnections> connections;
  if (!connections || connections->endpoint().size() != size) {
    connections.reset();
    connections = std::make_unique<ManyConnections>(size);
  }
  return *connections;
}

// With a timer of each running.
void run_next_timeout(benchmark::State& state, std::size_t size) {
  ManyConnections& connections = connections_of(size);
  while (state.KeepRunning()) benchmark::DoNotOptimize(connections.endpoint().next_timeout());
}

// One timer fires, and its connection is called.
void run_wake_ups(benchmark::State& state, std::size_t size) {
  ManyConnections& connections = connections_of(size);
  while (state.KeepRunning()) connections.wake_one();
}

// A datagram finds its connection, is opened and delivered.
void run_datagrams(benchmark::State& state, std::size_t size) {
  ManyConnections& connections = connections_of(size);
  std::size_t next = 0;
  while (state.KeepRunning()) {
    if (next % connections.talkers() == 0) {
      state.PauseTiming();
      connections.seal();
      state.ResumeTiming();
    }
    connections.receive(next++);
  }
}

// No timer runs, and a call of handle_timeout() looks at no connection.
void run_idle(benchmark::State& state, std::size_t size) {
  ManyConnections& connections = connections_of(size);
  connections.fall_idle();
  while (state.KeepRunning()) connections.endpoint().handle_timeout(Instant::max());
}

using EndpointRunner = void (*)(benchmark::State&, std::size_t);

Measure endpoint_measure(const char* name, std::size_t size, EndpointRunner runner,
                         std::int64_t iterations = 0) {
  return {.name = std::string("endpoint/") + name + "/" + std::to_string(size),
          .unit = "ns",
          .per_second = 1e9,
          .contestants = {
              {kOurs, Timed{[=](benchmark::State& state) { runner(state, size); }, iterations}}}};
}

Measure endpoint_memory(std::size_t size) {
  return {.name = "endpoint/memory_idle/" + std::to_string(size),
          .unit = "bytes each",
          .contestants = {{kOurs, Sampled([=](const Plan& /*plan*/) {
                             ManyConnections& connections = connections_of(size);
                             connections.fall_idle();
                             return std::vector{connections.bytes_each_idle()};
                           })}}};
}

}  // namespace

// A handshake each comes first, some 0.3 ms: one million take minutes, and 8 GB.
void add_endpoints(Measures& measures, const Plan& plan) {
  std::vector<std::size_t> sizes{1000, plan.quick ? std::size_t{2000} : std::size_t{20'000}};
  if (plan.million) sizes.push_back(1'000'000);
  for (const std::size_t size : sizes) {
    // In this order: what falls idle has no timers any more.
    measures.push_back(endpoint_measure("next_timeout", size, run_next_timeout));
    measures.push_back(endpoint_measure("datagram", size, run_datagrams));
    measures.push_back(endpoint_measure("wake_up", size, run_wake_ups, kWakeUps));
    measures.push_back(endpoint_measure("idle", size, run_idle));
    measures.push_back(endpoint_memory(size));
  }
}

}  // namespace sluice::bench
