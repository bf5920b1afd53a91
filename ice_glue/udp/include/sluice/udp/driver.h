// Runs an Endpoint, or another server without I/O of its own, on a UDP socket and the clock.
#pragma once

#include <concepts>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <tl/expected.hpp>
#include <utility>

#include <sluice/dtls/connection.h>
#include <sluice/udp/clock.h>
#include <sluice/udp/descriptor.h>
#include <sluice/udp/send_batch.h>
#include <sluice/udp/socket.h>

namespace sluice::udp {

// What a Driver can run: dtls::Endpoint, and all that has its inputs and outputs.
template <class Server>
concept DatagramServer =
    std::movable<Server> && requires(Server& server, const Server& same, dtls::MutableBytes bytes,
                                     const dtls::UdpPath& path, dtls::Instant now) {
      server.handle_datagram(bytes, path, now);
      server.handle_timeout(now);
      { server.poll_transmit(bytes)->size } -> std::convertible_to<std::size_t>;
      { server.poll_transmit(bytes)->path } -> std::convertible_to<dtls::UdpPath>;
      { same.next_timeout() } -> std::same_as<std::optional<dtls::Instant>>;
    };

// Takes all datagrams of a batch before its outputs are polled, where it can: IceLiteServer.
template <class Server>
concept BatchServer = requires(Server& server, std::span<const Received> batch, dtls::Instant now) {
  { server.handle_datagrams(batch, now).taken } -> std::convertible_to<std::size_t>;
};

namespace detail {

// The socket, the datagrams that are to leave, and a descriptor to wait for.
class Port {
 public:
  static tl::expected<Port, std::string> open(Socket socket);

  [[nodiscard]] int descriptor() const { return epoll_.number(); }
  Socket& socket() { return socket_; }
  [[nodiscard]] const Socket& socket() const { return socket_; }
  // The error names the system call that failed; nothing has changed then.
  tl::expected<void, std::string> change_socket(Socket fresh);

  // Sends what is collected, where there is less room than that.
  dtls::MutableBytes room(std::size_t size);
  void commit(std::size_t size, const dtls::UdpPath& path) { batch_.commit(size, path); }
  void flush();

  // Makes the descriptor readable at this time.
  void wake_at(std::optional<dtls::Instant> time);
  void wait(std::optional<dtls::Instant> until) const;

 protected:
  // Makes the descriptor readable when this one is. Errors as change_socket().
  tl::expected<void, std::string> watch(int descriptor);

 private:
  explicit Port(Socket socket) : socket_(std::move(socket)) {}

  Socket socket_;
  SendBatch batch_;
  Descriptor epoll_;
  Descriptor timer_;
  std::optional<dtls::Instant> wakes_at_ = {};
};

struct Ignore {
  void operator()(const auto& /*unused*/) const {}
};

}  // namespace detail

// A server in a loop:
//
//   auto driver = udp::Driver<dtls::Endpoint>::make(*std::move(endpoint), *std::move(socket));
//   for (;;) {
//     driver->wait();
//     driver->turn([&] {
//       while (const auto data = driver->server().poll_data()) {
//         driver->send(data->connection, data->bytes);
//       }
//       while (const auto event = driver->server().poll_event()) ...
//     });
//   }
//
// In the loop of another library, such as asio or libuv: wait for descriptor() to become readable,
// call turn(), wait again. What an input outside of turn() leaves, drain() takes.
//
// Datagrams are received and sent in batches: those that leave during a turn are sent at its end,
// or when the batch is full. Those for which the kernel has no room are lost and counted
// (SocketStatistics). Move-only; used by one thread at a time, as the server is. Allocates nothing
// after make().
//
// `PortType` is for tcp::Driver.
template <DatagramServer Server, class PortType = detail::Port>
class Driver {
 public:
  // The error names the system call that failed.
  static tl::expected<Driver, std::string> make(Server server, Socket socket) {
    auto port = PortType::open(std::move(socket));
    if (!port) return tl::unexpected(std::move(port).error());
    Driver made(std::move(server), *std::move(port));
    made.finish();
    return made;
  }

  // Inputs to it are to be followed by drain(), except within turn() and drain().
  Server& server() { return server_; }
  [[nodiscard]] const Server& server() const { return server_; }

  // Readable when turn() has something to do: for poll(), epoll and the loops of other libraries.
  // Don't read from it.
  [[nodiscard]] int descriptor() const { return port_.descriptor(); }
  // Waits until turn() has something to do, at most until `until`.
  void wait(std::optional<dtls::Instant> until = std::nullopt) const { port_.wait(until); }

  // Fires the timers that are due and takes the datagrams that have come, at most
  // kMaxBatches * Socket::kBatch pieces, so that timers have their turn under load. `drain` is
  // called after each of them, to poll everything but poll_transmit(): data is valid only until the
  // next one. A BatchServer takes more of them at once. `drain` may make inputs and send(). Then
  // all is sent.
  //
  // `on_transmit`, where it is given, is called for each result of poll_transmit().
  template <std::invocable Drain, class OnTransmit = detail::Ignore>
  void turn(Drain&& drain, OnTransmit&& on_transmit = {}) {
    server_.handle_timeout(now());
    settle(drain, on_transmit);
    for (std::size_t i = 0; i < kMaxBatches; ++i) {
      const auto received = port_.socket().receive();
      for (auto rest = received; !rest.empty();) {
        rest = rest.subspan(take(rest));
        settle(drain, on_transmit);
      }
      if (received.size() < Socket::kBatch) break;
    }
    finish();
  }
  static constexpr std::size_t kMaxBatches = 4;

  // After an input outside of turn(): drains and sends.
  template <std::invocable Drain, class OnTransmit = detail::Ignore>
  void drain(Drain&& drain, OnTransmit&& on_transmit = {}) {
    settle(drain, on_transmit);
    finish();
  }

  // Seals one record of application data, of a dtls::Endpoint. It leaves at the end of the turn;
  // outside of turn(), call flush().
  template <class Handle>
    requires requires(Server& server, Handle handle, dtls::Bytes data, dtls::MutableBytes out) {
      server.seal_datagram(handle, data, out);
    }
  tl::expected<void, dtls::SendError> send(Handle connection, dtls::Bytes data) {
    const auto sealed =
        server_.seal_datagram(connection, data, port_.room(data.size() + dtls::kSealOverhead));
    if (!sealed) return tl::unexpected(sealed.error());
    port_.commit(sealed->size, sealed->path);
    return {};
  }
  // Sends what has been collected.
  void flush() { finish(); }

  // Where a datagram of the caller's own can be written, of up to `size` bytes; commit() has it
  // sent, as send().
  dtls::MutableBytes room(std::size_t size) { return port_.room(size); }
  void commit(std::size_t size, const dtls::UdpPath& path) { port_.commit(size, path); }

  [[nodiscard]] const SocketStatistics& statistics() const { return port_.socket().statistics(); }
  Socket& socket() { return port_.socket(); }
  // Closes the socket and goes on with `fresh`, which reads into the memory of the old one. What is
  // still to be read from that is lost. May be called within turn(), too.
  tl::expected<void, std::string> change_socket(Socket fresh) {
    return port_.change_socket(std::move(fresh));
  }

 protected:
  Driver(Server server, PortType port) : server_(std::move(server)), port_(std::move(port)) {}
  PortType& port() { return port_; }
  [[nodiscard]] const PortType& port() const { return port_; }

  // How many of the datagrams the server has taken.
  std::size_t take(std::span<const Received> datagrams) {
    if constexpr (BatchServer<Server>) {
      return server_.handle_datagrams(datagrams, now()).taken;
    } else {
      server_.handle_datagram(datagrams.front().bytes, datagrams.front().path, now());
      return 1;
    }
  }

  template <class Drain, class OnTransmit>
  void settle(Drain& drain, OnTransmit& on_transmit) {
    transmit(on_transmit);
    drain();
    // Of the inputs that `drain` has made.
    transmit(on_transmit);
  }
  void finish() {
    port_.flush();
    port_.wake_at(server_.next_timeout());
  }

 private:
  template <class OnTransmit>
  void transmit(OnTransmit& on_transmit) {
    while (const auto next = server_.poll_transmit(port_.room(dtls::kMaxDatagram))) {
      port_.commit(next->size, next->path);
      on_transmit(*next);
    }
  }

  Server server_;
  PortType port_;
};

}  // namespace sluice::udp
