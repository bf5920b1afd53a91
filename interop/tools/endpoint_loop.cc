#include "tools/endpoint_loop.h"

#include <utility>

#include "common/clock.h"

namespace sluice::interop::tools {

EndpointLoop::EndpointLoop(EndpointDriver driver, EndpointHandler& handler)
    : driver_(std::move(driver)), handler_(handler) {
  poller_.add(driver_.descriptor());
}

void EndpointLoop::turn(std::optional<dtls::Instant> until) {
  poller_.wait(until);
  is_in_turn_ = true;
  driver_.turn([this] { poll(); },
               [this](const dtls::EndpointTransmit& sent) { on_transmit(sent); });
  is_in_turn_ = false;
  if (driver_.socket().take_refusal()) handler_.on_refused();
}

void EndpointLoop::drain() {
  driver_.drain([this] { poll(); },
                [this](const dtls::EndpointTransmit& sent) { on_transmit(sent); });
}

void EndpointLoop::on_transmit(const dtls::EndpointTransmit& sent) {
  if (sent.connection) handler_.on_sent(*sent.connection);
}

void EndpointLoop::poll() {
  // The handler may make inputs, which leave outputs again.
  for (bool again = true; again;) {
    again = false;
    while (const auto data = endpoint().poll_data()) {
      handler_.on_data(*data);
      again = true;
    }
    while (const auto event = endpoint().poll_event()) {
      handler_.on_event(*event);
      again = true;
    }
  }
}

tl::expected<void, dtls::SendError> EndpointLoop::send(dtls::ConnectionHandle connection,
                                                       dtls::Bytes data) {
  auto sent = driver_.send(connection, data);
  if (!is_in_turn_) driver_.flush();
  return sent;
}

}  // namespace sluice::interop::tools
