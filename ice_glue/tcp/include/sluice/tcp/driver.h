// Runs a server without I/O of its own on a UDP socket and a TCP port beside it.
#pragma once

#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include <tl/expected.hpp>

#include <sluice/tcp/listener.h>
#include <sluice/udp/driver.h>

namespace sluice::tcp {

// What a Driver can run: IceLiteServer, and all that has its inputs and outputs.
template <class Server>
concept ConnectionServer =
    udp::DatagramServer<Server> &&
    requires(Server& server, const Server& same, const dtls::UdpPath& path, dtls::Instant now) {
      server.path_closed(path, now);
      // Whether an authentic peer has this path.
      { same.find(path).has_value() } -> std::convertible_to<bool>;
    };

namespace detail {

// Datagrams for paths of connections leave by the Listener, all others by the UDP socket.
class Port : public udp::detail::Port {
 public:
  static tl::expected<Port, std::string> open(udp::Socket socket, Listener listener);

  Listener& listener() { return listener_; }
  [[nodiscard]] const Listener& listener() const { return listener_; }

  dtls::MutableBytes room(std::size_t size) { return room_ = udp::detail::Port::room(size); }
  void commit(std::size_t size, const dtls::UdpPath& path);
  void flush();
  void wake_at(std::optional<dtls::Instant> time);

 private:
  Port(udp::detail::Port port, Listener listener)
      : udp::detail::Port(std::move(port)), listener_(std::move(listener)) {}

  Listener listener_;
  dtls::MutableBytes room_;  // the last one
};

}  // namespace detail

// A udp::Driver whose server has a Listener, too:
//
//   auto driver = tcp::Driver<ice_lite::IceLiteServer>::make(
//       *std::move(server), *std::move(socket), *std::move(listener));
//
// Everything else is as there: wait() and descriptor() tell of both, turn() takes from both,
// commit() sends over the one that the path belongs to. It confirms the connections whose paths
// have a session, and tells the server of those that have ended.
template <ConnectionServer Server>
class Driver : public udp::Driver<Server, detail::Port> {
  using Base = udp::Driver<Server, detail::Port>;

 public:
  // The error names the system call that failed.
  static tl::expected<Driver, std::string> make(Server server, udp::Socket socket,
                                                Listener listener) {
    auto port = detail::Port::open(std::move(socket), std::move(listener));
    if (!port) return tl::unexpected(std::move(port).error());
    Driver made(std::move(server), *std::move(port));
    made.finish();
    return made;
  }

  Listener& listener() { return this->port().listener(); }
  [[nodiscard]] const Listener& listener() const { return this->port().listener(); }

  // As udp::Driver::turn(), and then what has come over TCP: at most kMaxConnectionBatches times
  // Listener::kBatch datagrams.
  template <std::invocable Drain, class OnTransmit = udp::detail::Ignore>
  void turn(Drain&& drain, OnTransmit&& on_transmit = {}) {
    listener().handle_timeout(udp::now());
    tell_closed();
    Base::turn(drain, on_transmit);
    for (std::size_t i = 0; i < kMaxConnectionBatches; ++i) {
      const auto received = listener().receive(udp::now());
      tell_closed();
      for (auto rest = received; !rest.empty();) {
        rest = rest.subspan(this->take(rest));
        this->settle(drain, on_transmit);
      }
      if (received.empty()) break;
      // All of them are of one connection.
      const dtls::UdpPath& path = received.front().path;
      if (this->server().find(path)) listener().confirm(path, udp::now());
    }
    this->drain(drain, on_transmit);
  }
  static constexpr std::size_t kMaxConnectionBatches = 64;

 private:
  Driver(Server server, detail::Port port) : Base(std::move(server), std::move(port)) {}

  void tell_closed() {
    while (const auto closed = listener().poll_closed()) {
      this->server().path_closed(closed->path, udp::now());
    }
  }
};

}  // namespace sluice::tcp
