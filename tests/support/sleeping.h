// An Endpoint whose sessions leave and return.
#pragma once

#include <gtest/gtest.h>

#include <utility>

#include "support/by_version.h"
#include "support/bytes.h"
#include "support/endpoint_peers.h"

namespace sluice::test {

class Sleeping : public ByVersion {
 protected:
  static constexpr std::size_t kIdSize = 8;
  static inline const dtls::UdpPath kHome = path_of(1);
  static inline const dtls::UdpPath kAway = path_of(2, 99);
  static inline const dtls::UdpPath kElsewhere = path_of(3, 7);

  static dtls::ConfigPtr asking_for(std::optional<std::size_t> id_size) {
    dtls::ConfigOptions asking = options();
    asking.connection_id_size = id_size;
    return make_config(asking);
  }
  EndpointHost host(dtls::EndpointOptions limits = {}) {
    return EndpointHost(config_, std::move(limits));
  }
  // The records of the peer have an ID.
  static Peer connect(EndpointHost& host, const dtls::UdpPath& path, dtls::Instant now = {}) {
    return connect(asking_for(0), host, path, now);
  }
  static Peer connect_without_id(EndpointHost& host, const dtls::UdpPath& path,
                                 dtls::Instant now = {}) {
    return connect(make_config(options()), host, path, now);
  }
  static Peer connect(const dtls::ConfigPtr& config, EndpointHost& host, const dtls::UdpPath& path,
                      dtls::Instant now) {
    return connected(make_client(config, now), path, host, now);
  }
  // All timers up to that time.
  static void pass(EndpointHost& host, dtls::Instant until) {
    for (auto next = host.endpoint.next_timeout(); next && *next <= until;
         next = host.endpoint.next_timeout()) {
      host.handle_timeout(*next);
      static_cast<void>(host.take_datagrams());
    }
  }
  // The Endpoint gives up this connection.
  static dtls::SessionState put_to_sleep(EndpointHost& host, dtls::ConnectionHandle handle,
                                         dtls::Instant now = {}) {
    auto state = must(host.endpoint.export_session(handle, {}, now));
    host.settle(now);
    return state;
  }
  static dtls::SessionState copy_of_state(const dtls::SessionState& state) {
    return must(dtls::SessionState::parse(state.bytes()));
  }
  static bool works_both_ways(Peer& peer, const dtls::UdpPath& path, EndpointHost& host,
                              dtls::ConnectionHandle handle, dtls::Instant now = {}) {
    return reaches(peer, path, host, handle, now) && is_reached(peer, host, handle);
  }

  dtls::ConfigPtr config_ = asking_for(kIdSize);
};

}  // namespace sluice::test
