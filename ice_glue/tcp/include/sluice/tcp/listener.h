// A TCP port for datagrams: a listening socket with its connections.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include <tl/expected.hpp>

#include <sluice/dtls/clock.h>
#include <sluice/dtls/environment.h>
#include <sluice/dtls/path.h>
#include <sluice/dtls/socket_address.h>
#include <sluice/tcp/statistics.h>

namespace sluice::tcp {

struct ListenerOptions {
  // Connections, 1 to 1,000,000. Each takes a file descriptor (RLIMIT_NOFILE). Another one takes
  // the place of the one that has waited longest for confirm(), and is refused where there is none.
  std::size_t max_connections = 10'000;
  // Of one host, whatever its ports; 0: no limit. Many users may share one IPv4 address.
  std::size_t max_connections_per_host = 1000;
  // The first bits of an IPv6 address that identify its host, 0 to 128 (RFC 6177).
  unsigned ipv6_host_prefix = 64;
  // A connection without confirm() is closed after this time.
  dtls::Duration confirm_within = std::chrono::seconds{10};
  // And one that had it, when the last is so long ago: twice the time that consent lasts
  // (RFC 7675).
  dtls::Duration idle_after = std::chrono::seconds{60};
  // The largest datagram that is received, 1 to 65,535. A peer that announces a larger one is
  // disconnected. Those of WebRTC have up to 1,500 bytes.
  std::size_t max_frame = 4096;
  // Bytes that wait for a connection that does not take them, beside what the kernel holds: of each
  // connection, at least kMaxQueuedAtLeast, and in all.
  std::size_t max_queued = std::size_t{128} * 1024;
  std::size_t max_queued_in_all = std::size_t{32} * 1024 * 1024;
  // What the kernel holds of each connection, in bytes (SO_SNDBUF): more is more delay. 0: what the
  // system chooses, which may be megabytes. Above net.core.wmem_max the kernel takes that.
  std::size_t send_buffer = std::size_t{128} * 1024;
  // Connections that wait to be accepted; the system's net.core.somaxconn is its limit.
  int backlog = 1024;
};
// A whole frame of the largest size.
inline constexpr std::size_t kMaxQueuedAtLeast = 65'537;

// Whether this is the path of a TCP connection. Its SocketId has the top bit, which those of
// udp::Socket never have, and belongs to this connection alone.
constexpr bool is_connection(const dtls::UdpPath& path) {
  return (static_cast<std::uint32_t>(path.socket) & 0x8000'0000U) != 0;
}

// A connection that has ended.
struct Closed {
  dtls::UdpPath path;
  CloseReason reason{};
};

// Accepts connections and gives out the datagrams in them, each with the path of its connection;
// send() takes datagrams for these paths. To an IceLiteServer they are paths as those of UDP. Never
// waits. Beside a UDP socket in one loop: tcp::Driver.
//
// RFC 6544 wants a passive candidate for each address; a Listener on "*:443" serves those of IPv4
// and IPv6. TCP delivers what UDP would lose, but late: so little is kept for a peer that does not
// read, and what has no room is dropped as whole datagrams. TCP_NODELAY is set.
//
// What an unknown peer can use: a connection takes some 300 bytes here, up to
// ListenerOptions::max_frame more while a frame is under way, and what the kernel takes; it counts
// against the limits. It is closed if nothing authentic comes. All of it is independent of the
// number of connections.
//
// Move-only; used by one thread at a time. Receiving and sending allocate no memory in the steady
// state: only a peer that does not read makes a queue.
class Listener {
 public:
  // `environment` must outlive it. IPv6 sockets accept IPv4 too, where they are bound to the
  // unspecified address. The error names the system call that failed, or the option that is wrong.
  static tl::expected<Listener, std::string> open(const dtls::SocketAddress& address,
                                                  dtls::Environment& environment,
                                                  const ListenerOptions& options = {});
  // Takes over a socket that is bound and may listen already: one that the service manager has
  // opened. It is closed with the Listener, also on failure, and not shut down: another process may
  // go on with it.
  static tl::expected<Listener, std::string> adopt(int descriptor, dtls::Environment& environment,
                                                   const ListenerOptions& options = {});
  Listener(Listener&&) noexcept;
  Listener& operator=(Listener&&) noexcept;
  // Closes all connections.
  ~Listener();

  // To wait for, until next_timeout(): readable when receive() has something to do. Don't read from
  // it.
  [[nodiscard]] int descriptor() const;
  // The socket that listens, to be given to another process: adopt() there.
  [[nodiscard]] int listening() const;
  // The address that it is bound to.
  [[nodiscard]] dtls::UdpEndpoint own() const;

  // Accepts, sends what waits, and reads: up to kBatch datagrams of one connection, so of one path.
  // Empty: nothing has come. The spans are valid until the next call, and may be changed in place.
  [[nodiscard]] std::span<const dtls::ReceivedDatagram> receive(dtls::Instant now);
  static constexpr std::size_t kBatch = 64;
  // The peer of this path has proved to be one: its connection is kept. To be called for each batch
  // of an authentic peer: one whose path has a session (IceLiteServer::find(path)).
  void confirm(const dtls::UdpPath& path, dtls::Instant now);

  // Takes a datagram of up to kMaxFrame bytes to be sent by flush(), or earlier. What has no room,
  // or no connection, is dropped and counted.
  void send(dtls::Bytes datagram, const dtls::UdpPath& path);
  void flush();

  // Closes the connection of this path, if there is one, with its spans of receive(). What waits is
  // lost, unless the kernel has it. poll_closed() does not tell.
  void close(const dtls::UdpPath& path);
  // The connections that receive() and handle_timeout() have closed, each once: to be polled after
  // each of them, for IceLiteServer::path_closed().
  std::optional<Closed> poll_closed();

  // To be called at next_timeout() or later, to close connections for their age.
  void handle_timeout(dtls::Instant now);
  // A time that is not after the last receive(): that has more to give at once.
  [[nodiscard]] std::optional<dtls::Instant> next_timeout() const;

  // Connections that are open.
  [[nodiscard]] std::size_t size() const;
  // Bytes of datagrams that wait for connections, beside what the kernel holds.
  [[nodiscard]] std::size_t queued() const;
  [[nodiscard]] const ListenerStatistics& statistics() const;

 private:
  class Impl;
  explicit Listener(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::tcp
