// A server of mostly idle devices: DTLS 1.2 with PSK_WITH_AES_128_CCM_8, connection IDs of 8
// bytes on both sides, each device at an address of its own.
#pragma once

#include <sluice/dtls/endpoint.h>

#include <cstddef>
#include <vector>

#include "device_exchange.h"

namespace sluice::bench {

// In sessions.
inline constexpr std::size_t kSmallFleet = 20'000;
inline constexpr std::size_t kQuickFleet = 2'000;
inline constexpr std::size_t kLargeFleet = 25'000'000;
inline constexpr std::size_t kMaxTalkers = 10'000;

// A device that stays, to send something.
struct Talker {
  dtls::Connection connection;
  dtls::UdpPath path;
};

struct FleetOptions {
  std::size_t sessions;
  // Evenly spread over the sessions. The other devices are gone after their handshake.
  std::size_t talkers;
  // Of the clock, from one handshake to the next.
  dtls::Duration interval;
  dtls::EndpointOptions endpoint = {};  // without its Config and its limits
  EventHandler on_event = {};           // takes the events of the Endpoint; null: they are dropped
};

class Fleet {
 public:
  explicit Fleet(FleetOptions options);

  // A handshake for each session. Timers that are due in the meantime fire.
  void connect_all();
  // All timers up to then fire, and the clock says so.
  void pass_until(dtls::Instant then);
  // Until no timer runs any more: what a handshake leaves behind for a while has gone.
  void fall_idle();
  // One timer, whenever that is due.
  void fire_one();
  // Where no datagram is under way: events, and connections that turn out to have none to send.
  void poll_outputs();

  [[nodiscard]] dtls::Endpoint& endpoint() { return endpoint_; }
  [[nodiscard]] dtls::Environment& environment() { return environment_; }
  [[nodiscard]] const dtls::ConfigPtr& config() const { return config_; }
  [[nodiscard]] dtls::Instant now() const { return now_; }
  [[nodiscard]] std::size_t sessions() const { return options_.sessions; }
  [[nodiscard]] std::vector<Talker>& talkers() { return talkers_; }

 private:
  void connect(std::size_t number);

  const FleetOptions options_;
  dtls::ConfigPtr config_;
  dtls::Environment environment_;
  dtls::Environment of_devices_;
  dtls::Endpoint endpoint_;
  dtls::Instant now_{};
  std::vector<Talker> talkers_;
};

}  // namespace sluice::bench
