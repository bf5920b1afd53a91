#include <sluice/dtls/endpoint.h>

#include <array>
#include <chrono>
#include <stdexcept>

#include "heap.h"
#include "memory.h"
#include "support/endpoints.h"

namespace sluice::bench {
namespace {

using namespace std::chrono_literals;

// Touches what is allocated once, or for the next in line.
constexpr std::size_t kWarmUp = 100;

dtls::Environment environment_for(std::size_t warm) {
  return test::must(dtls::Environment::make({.max_warm_connections = warm}));
}

// An Endpoint with sessions whose clients are gone.
class Sessions {
 public:
  Sessions(const dtls::ConfigPtr& config, dtls::Environment& environment, std::size_t size)
      : config_(config),
        endpoint_(test::must(dtls::Endpoint::make({.server = config,
                                                   .max_connections = size,
                                                   .max_half_open = size,
                                                   .max_half_open_per_host = 0},
                                                  environment))) {
    now_ += 1s;
  }

  void begin(std::size_t i) {
    auto client = make_client();
    // The hello, and the hello with its cookie.
    for (int hello = 0; hello < 2; ++hello) {
      send(client, path_of(i));
      receive(client, hello == 0);
    }
  }

  void complete(std::size_t i) {
    auto client = make_client();
    const auto path = path_of(i);
    for (bool moved = true; moved;) {
      send(client, path);
      moved = receive(client, true);
    }
    const auto handle = endpoint_.find(path);
    if (!client.connected() || !handle) throw std::runtime_error("handshake failed");
    // A record each way, so that the contexts of both directions have been needed.
    const dtls::Buffer data(64);
    std::array<std::byte, 1500> wire{};
    const auto size = client.seal(data, wire);
    endpoint_.handle_datagram(dtls::MutableBytes(wire).first(size.value()), path, now_);
    if (!endpoint_.poll_data() || !endpoint_.seal(*handle, data, wire)) {
      throw std::runtime_error("no data passes");
    }
  }

  void fall_idle() {
    while (const auto timeout = endpoint_.next_timeout()) {
      now_ = std::max(now_, *timeout);
      endpoint_.handle_timeout(now_);
      while (endpoint_.poll_event()) continue;
    }
  }

  [[nodiscard]] std::size_t size() const { return endpoint_.size(); }

 private:
  static dtls::UdpPath path_of(std::size_t i) {
    return {
        .peer = {dtls::Ipv4Address{10, static_cast<std::uint8_t>(i >> 16),
                                   static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)},
                 5684}};
  }

  dtls::Connection make_client() {
    return test::must(dtls::Connection::client(config_, test::environment(), test::kPath, now_));
  }

  void send(dtls::Connection& client, const dtls::UdpPath& path) {
    std::array<std::byte, 1500> wire{};
    while (const auto sent = client.poll_transmit(wire)) {
      endpoint_.handle_datagram(dtls::MutableBytes(wire).first(sent->size), path, now_);
      while (const auto event = endpoint_.poll_event()) accept(*event);
    }
  }
  // Whether there was anything; `hands_over` to the client, else it is lost.
  bool receive(dtls::Connection& client, bool hands_over) {
    std::array<std::byte, 1500> wire{};
    bool moved = false;
    while (const auto sent = endpoint_.poll_transmit(wire)) {
      moved = true;
      if (!hands_over) continue;
      const auto outcome =
          client.handle_datagram(dtls::MutableBytes(wire).first(sent->size), test::kPath, now_);
      if (!outcome) throw std::runtime_error(to_string(outcome.error()));
      while (const auto event = client.poll_event()) {
        const auto* asked = std::get_if<dtls::PeerCertificateReceived>(&*event);
        if (asked != nullptr) {
          test::must(client.answer(asked->question, dtls::AcceptPeer{}, now_));
        }
      }
    }
    return moved;
  }
  void accept(const dtls::EndpointEvent& event) {
    if (const auto* asked = std::get_if<dtls::PeerCertificateReceived>(&event.what)) {
      test::must(endpoint_.answer(event.connection, asked->question, dtls::AcceptPeer{}, now_));
    }
  }

  dtls::ConfigPtr config_;
  dtls::Endpoint endpoint_;
  dtls::Instant now_{};
};

}  // namespace

double sluice_bytes_each(dtls::ProtocolVersion version, Phase phase, Warmth warmth,
                         std::size_t sessions) {
  dtls::ConfigOptions options = test::options_for(version);
  options.groups = {dtls::NamedGroup::secp256r1};  // the quickest to set up
  options.cipher_suites = {dtls::CipherSuite::aes_128_gcm_sha256,
                           dtls::CipherSuite::ecdhe_ecdsa_with_aes_128_gcm_sha256};
  const auto config = test::make_config(options);
  dtls::Environment environment = environment_for(warmth == Warmth::warm ? sessions : 1);
  const auto fill = [&](Sessions& all, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      if (phase == Phase::in_progress) {
        all.begin(i);
      } else {
        all.complete(i);
      }
    }
    if (phase == Phase::idle) all.fall_idle();
  };
  {
    Sessions warm_up(config, environment, kWarmUp);
    fill(warm_up, kWarmUp);
  }
  // An Endpoint's memory before its first connection: its Listener's table for unverified senders,
  // 0.5 MB.
  Sessions all(config, environment, sessions);
  const double before = heap_in_use();
  fill(all, sessions);
  if (all.size() != sessions) throw std::runtime_error("sessions are missing");
  return (heap_in_use() - before) / static_cast<double>(sessions);
}

}  // namespace sluice::bench
