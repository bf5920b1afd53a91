// A server of a fleet: an Endpoint whose sessions sleep in a store that it shares with others. It
// sends back what it receives.
#pragma once

#include <sluice/dtls/endpoint.h>
#include <sluice/dtls/state_keys.h>

#include <functional>
#include <map>
#include <optional>

#include "sim/session_places.h"
#include "sim/shared_store.h"

namespace sluice::test {

class FleetServer {
 public:
  struct Surroundings {
    Schedule& schedule;
    SharedStore& store;
    SessionPlaces& places;
    dtls::Environment& environment;
    const dtls::StateKeys& keys;
    // A datagram leaves; data has come, which may leave again.
    std::function<void(const dtls::UdpPath&, const dtls::Buffer&)> send;
    std::function<void(dtls::Bytes)> on_data;
  };
  // What the store has answered, by what the server has done then.
  struct Counts {
    std::uint64_t kept = 0;  // the store was full or gone: the session stays here
    std::uint64_t late = 0;  // the Endpoint did not wait any longer
    std::uint64_t none = 0;  // there was no such session
    std::uint64_t lost = 0;  // the outcome is not known
    std::uint64_t woken = 0;
  };
  static constexpr std::chrono::seconds kLifetime{600};  // in the store

  FleetServer(unsigned number, Surroundings surroundings, const dtls::EndpointOptions& options);

  void receive(dtls::Buffer datagram, const dtls::UdpPath& path);
  void handle_timeout();

  [[nodiscard]] const dtls::Endpoint& endpoint() const { return endpoint_; }
  [[nodiscard]] const Counts& counts() const { return counts_; }
  // Its sessions by their IDs, which must agree with the places.
  void check_places() const;

 private:
  // A session outside of the Endpoint and of the store. Shared by the steps that may keep it.
  struct Moving {
    dtls::Buffer id;
    dtls::SessionState state;
    dtls::UdpPath path;
  };
  using MovingPtr = std::shared_ptr<Moving>;

  void drain();
  void on_event(dtls::EndpointEvent& event);
  void put(const MovingPtr& moving);
  // It stays here.
  void keep(const MovingPtr& moving);
  void take(const dtls::SessionWanted& wanted);
  void on_taken(dtls::WantedSession wanted, const dtls::Buffer& id, dtls::Bytes sealed);
  void drop(dtls::WantedSession wanted);
  [[nodiscard]] dtls::Buffer id_of(dtls::ConnectionHandle handle) const;
  void fail(const std::string& why) { around_.places.fail(why); }

  unsigned number_;
  Surroundings around_;
  dtls::ConfigPtr config_;
  dtls::Endpoint endpoint_;
  std::map<dtls::ConnectionHandle, dtls::Buffer> sessions_;
  Counts counts_;
};

}  // namespace sluice::test
