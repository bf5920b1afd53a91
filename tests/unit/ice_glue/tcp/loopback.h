// A Listener on loopback and its peers: real sockets, which block no longer than a test may take.
#pragma once

#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sluice/tcp/listener.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include <sluice/udp/address.h>
#include <sluice/udp/descriptor.h>

#include "stream.h"

namespace sluice::tcp {

using namespace std::chrono_literals;

inline constexpr std::chrono::milliseconds kLongest = 10s;

inline bool is_ready(int descriptor, short events, std::chrono::milliseconds longest) {
  pollfd polled{.fd = descriptor, .events = events, .revents = 0};
  return poll(&polled, 1, static_cast<int>(longest.count())) == 1;
}

// The other end of a connection.
class Peer {
 public:
  // `from`: a local address to connect from; empty: any.
  explicit Peer(const dtls::UdpEndpoint& to, const std::string& from = "", int receive_buffer = 0) {
    auto address = dtls::to_socket_address(to);
    socket_ = udp::Descriptor(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    // What is sent in two pieces leaves at once.
    const int on = 1;
    setsockopt(number(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (receive_buffer != 0) {
      setsockopt(number(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    }
    if (!from.empty()) {
      const auto own = *udp::resolve(from);
      EXPECT_EQ(bind(number(), own.get(), own.size), 0);
    }
    EXPECT_EQ(connect(number(), address.get(), address.size), 0) << std::strerror(errno);
  }
  [[nodiscard]] int number() const { return socket_.number(); }
  [[nodiscard]] dtls::UdpEndpoint own() const {
    dtls::SocketAddress address;
    getsockname(number(), address.get(), &address.size);
    return dtls::to_udp_endpoint(address).value();
  }
  void send(dtls::Bytes bytes) const {
    EXPECT_EQ(::send(number(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  void send(const std::vector<std::string>& datagrams) const { send(framed(datagrams)); }
  void half_close() const { shutdown(number(), SHUT_WR); }
  // With an RST.
  void reset() {
    const linger now{.l_onoff = 1, .l_linger = 0};
    setsockopt(number(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    socket_ = {};
  }
  // What has come, at least one byte; empty: the end.
  [[nodiscard]] dtls::Buffer read() const {
    dtls::Buffer bytes(65536);
    if (!is_ready(number(), POLLIN, kLongest)) return {};
    const ssize_t count = recv(number(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return bytes;
  }
  [[nodiscard]] bool has_ended() const { return read().empty(); }

 private:
  udp::Descriptor socket_;
};

// A Listener, and all that it gives out.
class Port {
 public:
  struct Arrived {
    std::string text;
    dtls::UdpPath path;
  };

  explicit Port(const ListenerOptions& options = {}, const std::string& address = "127.0.0.1:0")
      : listener(*Listener::open(*udp::resolve(address), environment_, options)) {}
  // Takes over a socket.
  explicit Port(int bound) : listener(*Listener::adopt(bound, environment_)) {}

  // Takes what comes until this is true.
  void until(const std::function<bool()>& done) {
    for (int i = 0; i < 10'000 && !done(); ++i) {
      ASSERT_TRUE(is_ready(listener.descriptor(), POLLIN, kLongest));
      take();
    }
    ASSERT_TRUE(done());
  }
  void take() {
    for (auto batch = listener.receive(now); !batch.empty(); batch = listener.receive(now)) {
      for (const auto& each : batch) arrived.push_back({text_of(each.bytes), each.path});
    }
    take_closed();
  }
  void take_closed() {
    while (const auto each = listener.poll_closed()) closed.push_back(*each);
  }
  void pass(dtls::Duration time) {
    now += time;
    listener.handle_timeout(now);
    take_closed();
  }
  void until_arrived(std::size_t count) {
    until([&] { return arrived.size() >= count; });
  }
  void until_closed(std::size_t count) {
    until([&] { return closed.size() >= count; });
  }
  void until_open(std::size_t count) {
    until([&] { return listener.size() == count; });
  }
  // A peer whose first datagram has come, and its path.
  struct Known {
    Peer peer;
    dtls::UdpPath path;
  };
  Known connect(const std::string& from = "", int receive_buffer = 0) {
    Peer peer(listener.own(), from, receive_buffer);
    const auto before = arrived.size();
    peer.send({"hello"});
    until_arrived(before + 1);
    return {.peer = std::move(peer), .path = arrived.back().path};
  }
  void send(const std::string& text, const dtls::UdpPath& path) {
    listener.send(std::as_bytes(std::span(text)), path);
  }

 private:
  dtls::Environment environment_ = dtls::Environment::make().value();

 public:
  Listener listener;
  dtls::Instant now{1h};
  std::vector<Arrived> arrived;
  std::vector<Closed> closed;
};

inline std::vector<std::string> texts_of(const Port& port) {
  std::vector<std::string> texts;
  texts.reserve(port.arrived.size());
  for (const auto& each : port.arrived) texts.push_back(each.text);
  return texts;
}
inline std::vector<CloseReason> reasons_of(const Port& port) {
  std::vector<CloseReason> reasons;
  reasons.reserve(port.closed.size());
  for (const auto& each : port.closed) reasons.push_back(each.reason);
  return reasons;
}

}  // namespace sluice::tcp
