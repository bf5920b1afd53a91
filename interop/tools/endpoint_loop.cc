#include "tools/endpoint_loop.h"

#include <span>
#include <utility>

#include "common/clock.h"

namespace sluice::interop::tools {

EndpointLoop::EndpointLoop(UdpSocket& socket, dtls::Endpoint endpoint, EndpointHandler& handler)
    : socket_(socket), endpoint_(std::move(endpoint)), handler_(handler) {
  static_assert(std::tuple_size_v<decltype(out_)> >= dtls::kMaxDatagram);
  poller_.add(socket_.descriptor());
}

void EndpointLoop::turn(std::optional<dtls::Instant> until) {
  poller_.wait(common::earlier(endpoint_.next_timeout(), until));
  endpoint_.handle_timeout(common::now());
  drain();
  if (!poller_.is_ready(socket_.descriptor())) return;
  socket_.receive([&](dtls::MutableBytes datagram, const dtls::UdpPath& path) {
    endpoint_.handle_datagram(datagram, path, common::now());
    drain();
  });
  if (socket_.take_refusal()) handler_.on_refused();
}

void EndpointLoop::change_socket(UdpSocket fresh) {
  poller_.remove(socket_.descriptor());
  socket_ = std::move(fresh);
  poller_.add(socket_.descriptor());
}

void EndpointLoop::drain() {
  // The handler may make inputs, which leave outputs again.
  for (bool again = true; again;) {
    again = false;
    while (const auto sent = endpoint_.poll_transmit(out_)) {
      socket_.send(std::span(out_).first(sent->size), sent->path);
      if (sent->connection) handler_.on_sent(*sent->connection);
    }
    while (const auto data = endpoint_.poll_data()) {
      handler_.on_data(*data);
      again = true;
    }
    while (const auto event = endpoint_.poll_event()) {
      handler_.on_event(*event);
      again = true;
    }
  }
}

tl::expected<void, dtls::SendError> EndpointLoop::send(dtls::ConnectionHandle connection,
                                                       dtls::Bytes data) {
  const auto sealed = endpoint_.seal_datagram(connection, data, out_);
  if (!sealed) return tl::unexpected(sealed.error());
  socket_.send(std::span(out_).first(sealed->size), sealed->path);
  return {};
}

}  // namespace sluice::interop::tools
