#include "fleet.h"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

#include "support/bytes.h"
#include "support/endpoints.h"

namespace sluice::bench {
namespace {

// 10.0.0.0 and on; above 2^24 devices 11.0.0.0.
constexpr std::size_t kFirstHost = std::size_t{10} << 24;

dtls::UdpPath path_of_device(std::size_t number) {
  const std::size_t host = kFirstHost + number;
  return {.peer = {dtls::Ipv4Address{
                       static_cast<std::uint8_t>(host >> 24), static_cast<std::uint8_t>(host >> 16),
                       static_cast<std::uint8_t>(host >> 8), static_cast<std::uint8_t>(host)},
                   5684}};
}

dtls::ConfigPtr make_fleet_config() {
  dtls::ConfigOptions options;
  options.pre_shared_keys = {
      test::must(dtls::PreSharedKey::make(test::bytes_of("device-000000001"), test::counted(16)))};
  options.max_version = dtls::ProtocolVersion::dtls12;
  options.cipher_suites = {dtls::CipherSuite::psk_with_aes_128_ccm_8};
  options.srtp_profiles = {};
  options.connection_id_size = 8;
  return test::make_config(options);
}

// Devices that speak once a day find no cipher contexts left from the last time.
dtls::Environment make_cold_environment() {
  return test::must(dtls::Environment::make({.max_warm_connections = 1}));
}

dtls::EndpointOptions options_of(dtls::EndpointOptions options, const dtls::ConfigPtr& config,
                                 std::size_t sessions) {
  options.server = config;
  options.max_connections = sessions;
  options.max_half_open_per_host = 0;
  return options;
}

}  // namespace

Fleet::Fleet(FleetOptions options)
    : options_(std::move(options)),
      config_(make_fleet_config()),
      environment_(make_cold_environment()),
      of_devices_(make_cold_environment()),
      endpoint_(test::must(dtls::Endpoint::make(
          options_of(options_.endpoint, config_, options_.sessions), environment_))) {}

void Fleet::connect_all() {
  talkers_.reserve(options_.talkers);
  for (std::size_t i = 0; i < options_.sessions; ++i) {
    pass_until(now_ + options_.interval);
    connect(i);
  }
}

void Fleet::pass_until(dtls::Instant then) {
  for (auto next = endpoint_.next_timeout(); next && *next <= then;
       next = endpoint_.next_timeout()) {
    now_ = std::max(now_, *next);
    endpoint_.handle_timeout(now_);
    poll_events(endpoint_, options_.on_event);
  }
  now_ = std::max(now_, then);
}

void Fleet::fall_idle() {
  while (endpoint_.next_timeout()) fire_one();
}

void Fleet::fire_one() {
  now_ = std::max(now_, *endpoint_.next_timeout());
  endpoint_.handle_timeout(now_);
}

void Fleet::poll_outputs() {
  std::array<std::byte, 1500> datagram{};
  if (endpoint_.poll_transmit(datagram)) throw std::runtime_error("an idle session sends");
  poll_events(endpoint_, options_.on_event);
}

void Fleet::connect(std::size_t number) {
  const auto path = path_of_device(number);
  auto device = test::must(dtls::Connection::client(config_, of_devices_, test::kPath, now_));
  while (exchange(device, endpoint_, path, now_, options_.on_event)) continue;
  if (!device.connected()) throw std::runtime_error("handshake failed");
  const std::size_t step = options_.sessions / options_.talkers;
  const bool is_talker = number % step == 0 && talkers_.size() < options_.talkers;
  if (is_talker) talkers_.push_back({std::move(device), path});
}

}  // namespace sluice::bench
