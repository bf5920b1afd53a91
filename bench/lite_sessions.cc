// Sessions of an IceLiteServer: the time that the server takes to set one up, and the memory that
// it keeps for it. DTLS 1.3 and AEAD_AES_128_GCM, one SSRC each way; the peers are gone afterwards.
#include <sluice/ice_lite/ice_lite_server.h>

#include <array>
#include <chrono>
#include <ctime>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "heap.h"
#include "measures.h"
#include "support/ice_world.h"

namespace sluice::bench {
namespace {

using namespace std::chrono_literals;

// Of a session, in bytes.
constexpr double kMostMemory = 12'000;
// Touches what is allocated once.
constexpr std::size_t kWarmUpSessions = 100;

dtls::Duration cpu_time() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::duration_cast<dtls::Duration>(std::chrono::seconds{time.tv_sec} +
                                                    std::chrono::nanoseconds{time.tv_nsec});
}

class LiteSessions {
 public:
  LiteSessions(std::size_t sessions, std::size_t repeat_window)
      : repeat_window_(repeat_window),
        environment_(test::must(dtls::Environment::make({.max_warm_connections = 1}))),
        server_(make_server()) {
    for (std::size_t i = 0; i < kWarmUpSessions; ++i) set_up(i);
    server_ = make_server();
    spent_ = {};
    for (std::size_t i = 0; i < sessions; ++i) set_up(i);
    set_up_ = static_cast<double>(spent_.count()) / static_cast<double>(sessions);
    pass(5min);
    trim_heap();
    const double full = heap_in_use();
    server_ = make_server();
    trim_heap();
    memory_ = (full - heap_in_use()) / static_cast<double>(sessions);
  }

  [[nodiscard]] double set_up() const { return set_up_; }  // us of CPU time
  [[nodiscard]] double memory() const { return memory_; }  // bytes

 private:
  ice_lite::IceLiteServer make_server() {
    return test::must(ice_lite::IceLiteServer::make(
        {.max_tuples_per_host = 0, .tuple_hold = dtls::Duration::zero()}, environment_));
  }

  // Runs what the server does, and counts its time.
  template <class Work>
  auto spend(Work work) {
    const auto start = cpu_time();
    auto result = work();
    spent_ += cpu_time() - start;
    return result;
  }

  void set_up(std::size_t number) {
    now_ += 1ms;
    ice_lite::SessionOptions options;
    options.transport.dtls = config_;
    options.transport.srtp.repeat_window = repeat_window_;
    options.peer_fingerprints = {fingerprint_};
    const auto session = spend([&] { return test::must(server_.add_session(options, now_)); });
    const auto remote = server_.local_credentials(session).value();
    auto transport = test::must(transport::MediaTransport::make({.dtls = config_}, of_peers_));
    static_cast<void>(test::must(transport.start(dtls::Role::client, now_)));
    static_cast<void>(test::must(transport.set_peer_fingerprints({{fingerprint_}}, now_)));
    path_.peer =
        test::address(static_cast<std::uint8_t>(number >> 16), static_cast<std::uint16_t>(number));
    test::IceClient peer({.remote = remote, .candidates = {path_.peer}, .is_aggressive = true},
                         of_peers_, std::move(transport));
    peer.begin(now_);
    exchange(peer);
    if (!peer.transport.connected()) throw std::runtime_error("a session is not connected");
    const auto packet = test::make_rtp();
    peer.send_rtp(packet);
    exchange(peer);
    std::array<std::byte, 400> out{};
    std::ranges::copy(packet, out.begin());
    if (!server_.protect_rtp(session, out, packet.size())) throw std::runtime_error("no media");
  }

  // What answers a retransmitted last flight goes after 2 x MSL.
  void pass(dtls::Duration time) {
    now_ += time;
    while (server_.next_timeout() && *server_.next_timeout() <= now_) {
      server_.handle_timeout(now_);
      while (poll() != 0) continue;
    }
  }

  void exchange(test::IceClient& peer) {
    for (auto sent = peer.take(); !sent.empty(); sent = peer.take()) {
      for (auto& each : sent) {
        spend([&] { return server_.handle_datagram(each.bytes, path_, now_); });
        while (const auto size = spend([&] { return poll(); })) {
          peer.handle_datagram(dtls::MutableBytes(out_).first(size), 0, now_);
        }
      }
    }
  }
  // The size of the next datagram; 0: none.
  std::size_t poll() {
    const auto sent = server_.poll_transmit(out_);
    if (sent) return sent->size;
    while (server_.poll_media()) continue;
    while (server_.poll_event()) continue;
    return 0;
  }

  std::size_t repeat_window_;
  dtls::ConfigOptions options_ = test::dtls13_with_gcm();
  dtls::Environment environment_;
  dtls::Environment of_peers_ = test::must(dtls::Environment::make());
  dtls::ConfigPtr config_ = test::make_config(options_);
  dtls::Fingerprint fingerprint_ = test::must(dtls::Fingerprint::of(
      options_.identities.front().certificate(), dtls::HashAlgorithm::sha256, of_peers_));
  ice_lite::IceLiteServer server_;
  dtls::Instant now_{1h};
  dtls::UdpPath path_{};
  std::array<std::byte, dtls::kMaxDatagram> out_{};
  dtls::Duration spent_{};
  double set_up_ = 0;
  double memory_ = 0;
};

const LiteSessions& sessions_of(const Plan& plan, std::size_t repeat_window) {
  static std::map<std::pair<std::size_t, std::size_t>, LiteSessions> measured;
  const std::pair key(plan.sessions, repeat_window);
  return measured.try_emplace(key, plan.sessions, repeat_window).first->second;
}

}  // namespace

void add_lite_sessions(Measures& measures) {
  // Packets that can be sent again; by default 512.
  for (const std::size_t window : std::array<std::size_t, 2>{0, 512}) {
    const std::string name = "/repeat_window_" + std::to_string(window);
    measures.push_back({.name = "ice_lite/session_set_up" + name,
                        .unit = "us",
                        .contestants = {{kOurs, Sampled([=](const Plan& plan) {
                                           return std::vector{sessions_of(plan, window).set_up()};
                                         })}}});
    measures.push_back({.name = "ice_lite/session_memory" + name,
                        .unit = "bytes each",
                        .contestants = {{kOurs, Sampled([=](const Plan& plan) {
                                           return std::vector{sessions_of(plan, window).memory()};
                                         })}}});
    if (window == 0) measures.back().goals = {{"", kMostMemory}};
  }
}

}  // namespace sluice::bench
