// Connections of one Endpoint, each from an address of its own, with DTLS 1.3 and an external PSK:
// what they take, and what a timer and a datagram cost beside them. No peer is compared with:
// libssl has no such thing.
#include "endpoint_bench.h"

#include <benchmark/benchmark.h>
#include <malloc.h>
#include <sluice/dtls/endpoint.h>

#include <array>
#include <chrono>
#include <deque>
#include <memory>
#include <stdexcept>

#include "support/bytes.h"
#include "support/endpoints.h"

namespace sluice::bench {
namespace {

using namespace std::chrono_literals;
using dtls::Instant;

// As many clients stay alive, to send something.
constexpr std::size_t kTalkers = 1000;
constexpr std::int64_t kWakeUps = 500;

dtls::ConfigPtr make_psk_config() {
  dtls::ConfigOptions options;
  options.pre_shared_keys = {
      test::must(dtls::PreSharedKey::make(test::bytes_of("sensor"), test::counted(32)))};
  options.min_version = dtls::ProtocolVersion::dtls13;
  options.cipher_suites = {dtls::CipherSuite::aes_128_gcm_sha256};
  options.srtp_profiles = {};
  return test::make_config(options);
}

std::size_t heap_in_use() {
  const auto info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

class Fleet {
 public:
  explicit Fleet(std::size_t size)
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
    heap_ = heap_in_use() - before_ - heap_of_talkers_;
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

  [[nodiscard]] double bytes_each() const { return each(heap_); }
  [[nodiscard]] double bytes_each_idle() const { return each(heap_idle_); }

 private:
  struct Talker {
    dtls::Connection connection;
    dtls::UdpPath path;
    dtls::Buffer record;
  };

  [[nodiscard]] double each(std::size_t bytes) const {
    return static_cast<double>(bytes) / static_cast<double>(endpoint_.size());
  }

  void connect(std::size_t i) {
    const dtls::UdpPath path{
        .peer = {dtls::Ipv4Address{10, static_cast<std::uint8_t>(i >> 16),
                                   static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)},
                 5684}};
    const std::size_t before = heap_in_use();
    auto client =
        test::must(dtls::Connection::client(config_, test::environment(), test::kPath, now_));
    while (exchange(client, path)) {
    }
    if (!client.connected()) throw std::runtime_error("handshake failed");
    if (talkers_.size() == kTalkers) return;
    const std::size_t of_both = heap_in_use() - before;
    talkers_.push_back({std::move(client), path, {}});
    // Both ends of a connection hold the same: good enough for one of a thousand.
    heap_of_talkers_ += of_both / 2;
  }

  bool exchange(dtls::Connection& client, const dtls::UdpPath& path) {
    std::array<std::byte, 1500> datagram{};
    bool moved = false;
    while (const auto sent = client.poll_transmit(datagram)) {
      endpoint_.handle_datagram(dtls::MutableBytes(datagram).first(sent->size), path, now_);
    }
    while (endpoint_.poll_event()) {
    }
    while (const auto sent = endpoint_.poll_transmit(datagram)) {
      moved = true;
      if (!client.handle_datagram(dtls::MutableBytes(datagram).first(sent->size), test::kPath,
                                  now_)) {
        throw std::runtime_error("handshake failed");
      }
    }
    return moved;
  }

  dtls::ConfigPtr config_;
  std::size_t before_;
  dtls::Endpoint endpoint_;
  Instant now_{};
  std::deque<Talker> talkers_;
  std::size_t heap_of_talkers_ = 0;
  std::size_t heap_ = 0;
  std::size_t heap_idle_ = 0;
};

// The one that is being measured; the one before is gone when the next is made.
Fleet& fleet_of(const benchmark::State& state) {
  static std::unique_ptr<Fleet> fleet;
  const auto size = static_cast<std::size_t>(state.range(0));
  if (!fleet || fleet->endpoint().size() != size) {
    fleet.reset();
    fleet = std::make_unique<Fleet>(size);
  }
  return *fleet;
}

// With a timer of each running.
void next_timeout(benchmark::State& state) {
  Fleet& fleet = fleet_of(state);
  while (state.KeepRunning()) benchmark::DoNotOptimize(fleet.endpoint().next_timeout());
}

// One timer fires, and its connection is called.
void wake_up(benchmark::State& state) {
  Fleet& fleet = fleet_of(state);
  while (state.KeepRunning()) fleet.wake_one();
}

// A datagram finds its connection, is opened and delivered.
void datagram(benchmark::State& state) {
  Fleet& fleet = fleet_of(state);
  std::size_t next = 0;
  while (state.KeepRunning()) {
    if (next % fleet.talkers() == 0) {
      state.PauseTiming();
      fleet.seal();
      state.ResumeTiming();
    }
    fleet.receive(next++);
  }
}

// All are idle: no timer runs, and a call of handle_timeout() looks at none of them.
void idle(benchmark::State& state) {
  Fleet& fleet = fleet_of(state);
  fleet.fall_idle();
  while (state.KeepRunning()) fleet.endpoint().handle_timeout(Instant::max());
  state.counters["bytes_each"] = fleet.bytes_each();
  state.counters["bytes_each_idle"] = fleet.bytes_each_idle();
}

benchmark::internal::Benchmark* add(const char* name, benchmark::internal::Function* function) {
  // As RegisterBenchmark() does: the library keeps it.
  auto* made = new benchmark::internal::FunctionBenchmark(name, function);
  // NOLINTNEXTLINE(clang-analyzer-cplusplus.NewDeleteLeaks)
  return benchmark::internal::RegisterBenchmarkInternal(made);
}

}  // namespace

void register_endpoint_benchmarks(const std::vector<std::int64_t>& connections) {
  for (const std::int64_t size : connections) {
    add("endpoint_next_timeout", next_timeout)->Arg(size);
    add("endpoint_datagram", datagram)->Arg(size);
    add("endpoint_wake_up", wake_up)->Arg(size)->Iterations(kWakeUps);
    add("endpoint_idle", idle)->Arg(size)->Iterations(1000);
  }
}

}  // namespace sluice::bench
