// A UDP socket that receives and sends in batches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/path.h>
#include <sluice/dtls/socket_address.h>
#include <sluice/udp/descriptor.h>
#include <sluice/udp/send_batch.h>

namespace sluice::udp {

using Received = dtls::ReceivedDatagram;

// What Socket::receive() reads into: 1 MB. Used by one thread at a time.
class ReceiveBuffer {
 public:
  ReceiveBuffer();

 private:
  friend class Socket;
  std::vector<std::byte> bytes_;
  std::vector<Received> received_;
};

struct SocketOptions {
  // Other sockets of this user may bind the same port (SO_REUSEPORT), one per thread. The kernel
  // gives all datagrams of one peer address to the same socket; see steer_by_connection_id().
  bool shares_port = false;
  // Paths name the local address (IP_PKTINFO), and send() uses it: what a server with several
  // addresses needs. False: paths name the peer only. A client needs that: the path that it gives
  // to dtls::Endpoint::connect() names no local address, and paths are compared whole.
  bool reports_local_address = true;
  // The kernel joins datagrams of one sender that arrive together (UDP_GRO), and receive() divides
  // them again. It costs nothing where they don't.
  bool joins_received = true;
  // Runs of a SendBatch leave as one piece (UDP_SEGMENT). Where a path refuses that, each datagram
  // leaves by itself.
  bool joins_sent = true;
  // Bytes that wait in the kernel (SO_RCVBUF, SO_SNDBUF). 0: the system's default. What the system
  // does not grant is an error: net.core.rmem_max and wmem_max are its limits, except for a process
  // with CAP_NET_ADMIN.
  std::size_t receive_buffer = 0;
  std::size_t send_buffer = 0;
  // Sockets of one thread may read into the same memory, such as the thousand of a client with
  // many: what receive() returns is then valid until the next call of any of them. Null: each
  // socket has its own.
  std::shared_ptr<ReceiveBuffer> shared_buffer = {};
};

struct SocketStatistics {
  std::uint64_t received = 0;  // datagrams
  std::uint64_t sent = 0;
  // Dropped because the kernel's buffer was full.
  std::uint64_t dropped_full = 0;
  // Dropped because the kernel refused them: no route, larger than the path's MTU where it must not
  // be fragmented, a firewall.
  std::uint64_t dropped_refused = 0;
  // Runs that the kernel did not take as one piece.
  std::uint64_t divided = 0;

  friend bool operator==(const SocketStatistics&, const SocketStatistics&) = default;
};

// Never waits: it is non-blocking. Move-only; used by one thread at a time. Takes 1 MB of memory
// for what receive() reads, unless SocketOptions::shared_buffer has it, and allocates nothing
// later.
//
// An IPv6 socket that receives IPv4 too has IPv4 addresses in those paths, not their IPv6 form
// (::ffff:192.0.2.1), and takes both forms to send to.
//
// SocketId: 0 for all paths but those of link-local IPv6 addresses, which have the number of their
// interface.
class Socket {
 public:
  // An IPv6 socket receives IPv4 too, where it is bound to the unspecified address. The error names
  // the system call that failed.
  static tl::expected<Socket, std::string> bind(const dtls::SocketAddress& address,
                                                const SocketOptions& options = {});
  // Takes over an open and bound socket: one that the service manager or the process before this
  // one has opened. It is closed with the Socket, also on failure. shares_port must have been set
  // before it was bound, so it has no effect here. The error names the system call that failed.
  static tl::expected<Socket, std::string> adopt(int descriptor, const SocketOptions& options = {});

  // Receives from this peer only, and learns of its ICMP errors: see take_refusal().
  tl::expected<void, std::string> connect(const dtls::SocketAddress& peer);
  // Another socket from the same local address to the same peer, with another local port and the
  // same options. Only for a connected socket.
  [[nodiscard]] tl::expected<Socket, std::string> with_another_port() const;
  // Whether the connected peer's port was reported closed (ECONNREFUSED) since the last call.
  // Anyone can forge that.
  [[nodiscard]] bool take_refusal() { return std::exchange(is_refused_, false); }

  // To wait for: readable when a datagram has come.
  [[nodiscard]] int descriptor() const { return descriptor_.number(); }
  // The address that it is bound to.
  [[nodiscard]] dtls::UdpEndpoint own() const;

  // What has come, by one system call: up to kBatch pieces, each of one datagram or of several that
  // the kernel has joined. Empty: nothing. The spans are valid until the next call.
  [[nodiscard]] std::span<const Received> receive();
  static constexpr std::size_t kBatch = 16;
  // Reads into the memory of `other` from now on, which gives its spans to this socket: they stay
  // valid until the next receive() here.
  void take_over_buffer(const Socket& other) { buffer_ = other.buffer_; }

  // Sends all runs. Datagrams for which the kernel has no room are lost, as the network may lose
  // any: those behind the first one that it did not take. They are counted, not kept.
  void send(const SendBatch& batch);
  // Sends one datagram.
  void send(dtls::Bytes datagram, const dtls::UdpPath& path);

  [[nodiscard]] const SocketStatistics& statistics() const { return statistics_; }
  // Pieces, as receive() takes them, that the kernel has dropped because nobody read those before
  // them in time: SocketOptions::receive_buffer was full. 0 where the kernel does not tell (before
  // 4.12).
  [[nodiscard]] std::uint32_t dropped_unread() const;

 private:
  Socket(Descriptor descriptor, const SocketOptions& options);
  tl::expected<void, std::string> set_options();
  void take(dtls::MutableBytes piece, std::size_t segment_size, const dtls::UdpPath& path);
  void send_runs(std::span<const SendRun> runs);
  // Of up to SendBatch::kMaxRuns runs. False: the kernel had no room for some of them.
  bool send_at_once(std::span<const SendRun> runs);
  void send_divided(std::span<const SendRun> runs);
  void handle_refusal(const SendRun& run, int error);
  void count_dropped(std::span<const SendRun> runs);

  Descriptor descriptor_;
  SocketOptions options_;
  bool is_ipv6_ = false;
  bool is_connected_ = false;
  bool is_refused_ = false;
  std::shared_ptr<ReceiveBuffer> buffer_;
  SocketStatistics statistics_;
};

}  // namespace sluice::udp
