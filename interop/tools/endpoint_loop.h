// Runs a dtls::Endpoint on a UDP socket and the clock, for both tools.
#pragma once

#include <sluice/dtls/endpoint.h>
#include <sluice/udp/driver.h>

#include <optional>
#include <string>
#include <utility>

#include "tools/poller.h"

namespace sluice::interop::tools {

// What a tool does with data and events. Both functions may call inputs of the Endpoint and send().
class EndpointHandler {
 public:
  // The bytes are valid until the next input of the Endpoint.
  virtual void on_data(const dtls::EndpointData& data) = 0;
  virtual void on_event(const dtls::EndpointEvent& event) = 0;
  // The Endpoint has made a datagram of this connection that was sent.
  virtual void on_sent(dtls::ConnectionHandle /*connection*/) {}
  // The network says that nothing listens at the peer of a connected socket. Anyone can forge that.
  virtual void on_refused() {}

 protected:
  ~EndpointHandler() = default;
};

using EndpointDriver = udp::Driver<dtls::Endpoint>;

// The handler outlives the loop. Used by one thread.
class EndpointLoop {
 public:
  EndpointLoop(EndpointDriver driver, EndpointHandler& handler);

  dtls::Endpoint& endpoint() { return driver_.server(); }
  udp::Socket& socket() { return driver_.socket(); }
  // Other descriptors that turn() waits for.
  Poller& poller() { return poller_; }

  // Waits for a descriptor, for the Endpoint's next timeout and at most until `until`; then handles
  // the timeout and the datagrams that have come, and drains.
  void turn(std::optional<dtls::Instant> until = std::nullopt);
  // Gives data and events to the handler and sends what is to be sent. Call it after an input of
  // the Endpoint outside the handler.
  void drain();
  // As udp::Driver::change_socket().
  tl::expected<void, std::string> change_socket(udp::Socket fresh) {
    return driver_.change_socket(std::move(fresh));
  }
  // Seals `data` in one record, which leaves at once, or at the end of the turn.
  tl::expected<void, dtls::SendError> send(dtls::ConnectionHandle connection, dtls::Bytes data);

 private:
  void poll();
  void on_transmit(const dtls::EndpointTransmit& sent);

  EndpointDriver driver_;
  EndpointHandler& handler_;
  Poller poller_;
  bool is_in_turn_ = false;
};

}  // namespace sluice::interop::tools
