// A fleet whose power comes back: all devices start again in the same moment, from their old ports,
// each with the random that it had before, over lossy paths. All must come back, and the server's
// limits hold meanwhile. A failure prints its seed: SLUICE_SIM_SEED=<seed> runs that one.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <map>
#include <optional>
#include <random>
#include <string>

#include "support/bytes.h"
#include "support/endpoint_host.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;

using dtls::Buffer;
using dtls::Instant;
using dtls::ProtocolVersion;

// Without optimisation 10,000 take minutes.
#ifdef NDEBUG
constexpr std::uint32_t kDevices = 10'000;
#else
constexpr std::uint32_t kDevices = 3'000;
#endif
constexpr double kStormLoss = 0.1;
constexpr dtls::Duration kRestart = 60s;
constexpr dtls::Duration kStormLimit = 360s;
// A device repeats what it has to say until it is answered.
constexpr dtls::Duration kRepetition = 2s;

dtls::ConfigPtr psk_config(ProtocolVersion highest, ProtocolVersion lowest) {
  auto options = test::options();
  options.pre_shared_keys = {must(dtls::PreSharedKey::make(bytes_of("device"), counted(32)))};
  options.identities.clear();
  options.srtp_profiles.clear();
  options.max_version = highest;
  options.min_version = lowest;
  options.cipher_suites = {dtls::CipherSuite::aes_128_gcm_sha256,
                           dtls::CipherSuite::psk_with_aes_128_gcm_sha256};
  return make_config(options);
}

class Storm {
 public:
  explicit Storm(std::uint64_t seed)
      : random_(seed),
        devices_(kDevices),
        endpoint_(must(dtls::Endpoint::make(server_options(), environment()))) {
    for (std::uint32_t i = 0; i < kDevices; ++i)
      plan(i, Instant{spread(kRestart / 2)}, Kind::start);
  }

  // Why it went wrong; empty when it did not.
  std::string run() {
    while (now_ < Instant{kRestart} && step(Instant{kRestart})) {
    }
    if (back_ != kDevices) return "only " + std::to_string(back_) + " have begun";
    const auto before = endpoint_.statistics();
    back_ = 0;
    for (Device& device : devices_) device.is_back = false;
    now_ = Instant{kRestart};
    for (std::uint32_t i = 0; i < kDevices; ++i) start(i);
    while (back_ < kDevices && fault_.empty() && step(Instant{kStormLimit})) {
    }
    report(before);
    if (!fault_.empty()) return fault_;
    if (back_ != kDevices) return "only " + std::to_string(back_) + " came back";
    // Handshakes that a later attempt has replaced end, too.
    while (endpoint_.half_open() != 0 && step(Instant{kStormLimit + 200s})) {
    }
    if (endpoint_.size() != kDevices) return "connections that nobody has";
    return "";
  }

 private:
  enum class Kind : std::uint8_t { to_host, to_device, alarm, start, talk };
  struct Device {
    std::optional<Peer> peer;
    std::uint32_t attempts = 0;
    bool is_back = false;
  };
  struct Happening {
    std::uint32_t device;
    Kind kind;
    Buffer datagram;
    std::uint32_t attempt;
  };

  static dtls::EndpointOptions server_options() {
    return {.server = psk_config(ProtocolVersion::dtls13, ProtocolVersion::dtls12),
            .max_connections = kDevices};
  }
  dtls::Duration spread(dtls::Duration most) {
    return dtls::Duration{
        std::uniform_int_distribution<dtls::Duration::rep>(0, most.count())(random_)};
  }
  void plan(std::uint32_t i, Instant when, Kind kind, Buffer datagram = {}) {
    happenings_.emplace(when, Happening{i, kind, std::move(datagram), devices_[i].attempts});
  }

  // Every tenth device speaks DTLS 1.3. Each has one random, whenever it starts.
  void start(std::uint32_t i) {
    device_random_.restart(i);
    Device& device = devices_[i];
    ++device.attempts;
    device.peer.emplace(must(dtls::Connection::client(i % 10 == 0 ? config13_ : config12_,
                                                      device_environment_, kPath, now_)));
    wake(i);
  }

  void wake(std::uint32_t i) {
    Peer& peer = *devices_[i].peer;
    if (peer.error) return plan(i, now_ + 1s, Kind::start);
    for (const Buffer& datagram : peer.take_datagrams()) send(i, Kind::to_host, datagram);
    if (peer.connected && !devices_[i].is_back && peer.data.empty()) plan(i, now_, Kind::talk);
    if (!peer.data.empty() && !devices_[i].is_back) {
      devices_[i].is_back = true;
      ++back_;
      if (now_ > Instant{kRestart}) times_.push_back(now_ - Instant{kRestart});
    }
    if (const auto timer = peer.connection().next_timeout()) {
      plan(i, std::max(*timer, now_), Kind::alarm);
    }
  }

  void send(std::uint32_t i, Kind kind, const Buffer& datagram) {
    ++datagrams_;
    if (chance_(random_) < kStormLoss) return;
    plan(i, now_ + 20ms + spread(60ms), kind, datagram);
  }

  bool step(Instant limit) {
    const Instant next = happenings_.empty() ? Instant::max() : happenings_.begin()->first;
    const Instant timer = endpoint_.next_timeout().value_or(Instant::max());
    if (std::min(next, timer) > limit) return false;
    now_ = std::max(now_, std::min(next, timer));
    if (timer <= next) {
      endpoint_.handle_timeout(now_);
      drain_host();
    } else {
      happen(happenings_.extract(happenings_.begin()).mapped());
    }
    return true;
  }

  void happen(Happening happening) {
    const std::uint32_t i = happening.device;
    if (happening.kind == Kind::to_host) {
      endpoint_.handle_datagram(happening.datagram, path_of(i), now_);
      return drain_host();
    }
    // Datagrams come to whoever has the port now; all else is of one attempt.
    Device& device = devices_[i];
    if (happening.kind == Kind::to_device) {
      device.peer->receive(std::move(happening.datagram), now_);
      return wake(i);
    }
    if (happening.attempt != device.attempts) return;
    if (happening.kind == Kind::start) return start(i);
    if (happening.kind == Kind::talk) return talk(i);
    const auto timer = device.peer->connection().next_timeout();
    if (!timer || now_ < *timer) return;  // another has taken its place
    device.peer->settle(device.peer->connection().handle_timeout(now_), now_);
    wake(i);
  }

  void talk(std::uint32_t i) {
    Device& device = devices_[i];
    if (device.is_back || device.peer->error) return;
    send(i, Kind::to_host, device.peer->seal(counted(20)));
    plan(i, now_ + kRepetition, Kind::talk);
  }

  // The host sends back what it receives.
  void drain_host() {
    std::array<std::byte, 1500> out{};
    while (const auto data = endpoint_.poll_data()) {
      const auto path = endpoint_.path_of(data->connection);
      const auto sealed = endpoint_.seal(data->connection, data->bytes, out);
      if (path && sealed)
        send(device_at(*path), Kind::to_device,
             Buffer(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(*sealed)));
    }
    while (endpoint_.poll_event()) {
    }
    while (const auto sent = endpoint_.poll_transmit(out)) {
      send(device_at(sent->path), Kind::to_device,
           Buffer(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(sent->size)));
    }
    most_half_open_ = std::max(most_half_open_, endpoint_.half_open());
    most_connections_ = std::max(most_connections_, endpoint_.size());
    const dtls::EndpointOptions limits;
    if (endpoint_.half_open() > limits.max_half_open) fault_ = "too many handshakes";
    if (endpoint_.size() > kDevices + limits.max_half_open) fault_ = "too many connections";
  }
  static std::uint32_t device_at(const dtls::UdpPath& path) {
    const auto& address = std::get<dtls::Ipv4Address>(path.peer.address);
    return (std::uint32_t{address[1]} << 16 | std::uint32_t{address[2]} << 8 | address[3]) -
           (2U << 8);
  }

  void report(const dtls::EndpointStatistics& before) {
    if (times_.empty()) return;
    std::ranges::sort(times_);
    const auto seconds = [&](std::size_t percent) {
      return std::chrono::duration<double>(times_[(times_.size() - 1) * percent / 100]).count();
    };
    const auto& statistics = endpoint_.statistics();
    std::cout << kDevices << " devices: back after " << seconds(50) << " s (median), "
              << seconds(95) << " s (95 %), " << seconds(100) << " s (all); "
              << statistics.accepted - before.accepted << " accepted, "
              << statistics.repeated_hellos - before.repeated_hellos << " repeated hellos, at most "
              << most_half_open_ << " handshakes and " << most_connections_ << " connections; "
              << datagrams_ << " datagrams\n";
  }

  std::mt19937_64 random_;
  std::uniform_real_distribution<> chance_{0, 1};
  SeededRandom device_random_{0};
  dtls::Environment device_environment_ =
      must(dtls::Environment::make({.random = &device_random_}));
  dtls::ConfigPtr config12_ = psk_config(ProtocolVersion::dtls12, ProtocolVersion::dtls12);
  dtls::ConfigPtr config13_ = psk_config(ProtocolVersion::dtls13, ProtocolVersion::dtls13);
  std::vector<Device> devices_;
  dtls::Endpoint endpoint_;
  Instant now_{};
  std::multimap<Instant, Happening> happenings_;
  std::uint32_t back_ = 0;
  std::vector<dtls::Duration> times_;
  std::size_t most_half_open_ = 0;
  std::size_t most_connections_ = 0;
  std::uint64_t datagrams_ = 0;
  std::string fault_;
};

TEST(RestartStorm, AllComeBackFromTheirOldPortsWithTheirOldRandoms) {
  const char* only = std::getenv("SLUICE_SIM_SEED");
  const std::uint64_t seed = only != nullptr ? std::strtoull(only, nullptr, 10) : 1;
  std::cout << "seed " << seed << ", " << kStormLoss * 100 << " % loss\n";
  const std::string why = Storm(seed).run();
  EXPECT_TRUE(why.empty()) << "seed " << seed << ": " << why;
}

}  // namespace
}  // namespace sluice::test
