#include "device_exchange.h"

#include <array>

#include "support/endpoints.h"

namespace sluice::bench {

bool exchange(dtls::Connection& device, dtls::Endpoint& endpoint, const dtls::UdpPath& path,
              dtls::Instant now, const EventHandler& on_event) {
  std::array<std::byte, 1500> datagram{};
  while (const auto sent = device.poll_transmit(datagram)) {
    endpoint.handle_datagram(dtls::MutableBytes(datagram).first(sent->size), path, now);
  }
  poll_events(endpoint, on_event);
  bool has_answered = false;
  while (const auto sent = endpoint.poll_transmit(datagram)) {
    has_answered = true;
    const auto bytes = dtls::MutableBytes(datagram).first(sent->size);
    test::must(device.handle_datagram(bytes, test::kPath, now));
  }
  return has_answered;
}

void poll_events(dtls::Endpoint& endpoint, const EventHandler& on_event) {
  while (const auto event = endpoint.poll_event()) {
    if (on_event) on_event(*event);
  }
}

}  // namespace sluice::bench
