// Carries datagrams between a device and the Endpoint of a server, without loss or delay.
#pragma once

#include <sluice/dtls/endpoint.h>

#include <functional>

namespace sluice::bench {

using EventHandler = std::function<void(const dtls::EndpointEvent&)>;

// What the device has to send, which arrives from `path`, then what the endpoint answers. Returns
// whether it has answered. `on_event` takes the endpoint's events; null: they are dropped. Throws
// where the device fails.
bool exchange(dtls::Connection& device, dtls::Endpoint& endpoint, const dtls::UdpPath& path,
              dtls::Instant now, const EventHandler& on_event = {});

// All events that wait.
void poll_events(dtls::Endpoint& endpoint, const EventHandler& on_event);

}  // namespace sluice::bench
