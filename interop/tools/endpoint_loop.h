// Runs a dtls::Endpoint on a UDP socket and the clock, for both tools.
#pragma once

#include <sluice/dtls/endpoint.h>

#include <array>
#include <optional>

#include "tools/poller.h"
#include "tools/udp_socket.h"

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

// The socket and the handler outlive the loop. Used by one thread.
class EndpointLoop {
 public:
  EndpointLoop(UdpSocket& socket, dtls::Endpoint endpoint, EndpointHandler& handler);

  dtls::Endpoint& endpoint() { return endpoint_; }
  // Other descriptors that turn() waits for.
  Poller& poller() { return poller_; }

  // Waits for a descriptor, for the Endpoint's next timeout and at most until `until`; then handles
  // the timeout and the datagrams that have come, and drains.
  void turn(std::optional<dtls::Instant> until = std::nullopt);
  // Gives data and events to the handler and sends what is to be sent. Call it after an input of
  // the Endpoint outside the handler.
  void drain();
  // Closes the socket and goes on with `fresh`. What is still to be read from the old one is lost.
  void change_socket(UdpSocket fresh);
  // Seals `data` in one record and sends it.
  tl::expected<void, dtls::SendError> send(dtls::ConnectionHandle connection, dtls::Bytes data);

 private:
  UdpSocket& socket_;
  dtls::Endpoint endpoint_;
  EndpointHandler& handler_;
  Poller poller_;
  // Larger than kMaxDatagram, so it also holds what poll_transmit() writes.
  std::array<std::byte, dtls::kMaxApplicationData + dtls::kSealOverhead> out_ = {};
};

}  // namespace sluice::interop::tools
