// A UDP socket that reports which local address a datagram came to, and sends from that address.
#pragma once

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/path.h>

#include <array>
#include <span>
#include <utility>
#include <vector>

#include "tools/socket_address.h"

namespace sluice::interop::tools {

struct UdpSocketOptions {
  // Other sockets of this process may bind the same port (SO_REUSEPORT). The kernel gives all
  // datagrams of one peer address to the same socket.
  bool shares_port = false;
  // Paths name the local address, as a server with several addresses needs. False: they name the
  // peer only, as a client that knows one server needs.
  bool reports_local_address = true;
};

class UdpSocket {
 public:
  // The error names the system call that failed.
  static tl::expected<UdpSocket, std::string> bind(const SocketAddress& address,
                                                   const UdpSocketOptions& options);

  UdpSocket(UdpSocket&& other) noexcept;
  UdpSocket& operator=(UdpSocket&& other) noexcept;
  ~UdpSocket();

  // Receives from this peer only, and learns of its ICMP errors: see take_refusal().
  tl::expected<void, std::string> connect(const SocketAddress& peer);
  // Another socket from the same local address to the same peer, with another local port. Only for
  // a connected socket.
  [[nodiscard]] tl::expected<UdpSocket, std::string> with_another_port() const;
  // Whether the connected peer's port was reported closed (ECONNREFUSED) since the last call.
  [[nodiscard]] bool take_refusal() { return std::exchange(is_refused_, false); }

  [[nodiscard]] int descriptor() const { return descriptor_; }
  // The address that it is bound to.
  [[nodiscard]] dtls::UdpEndpoint own() const;

  // Reads up to kBatch datagrams with one system call, calls `take(bytes, path)` for each and
  // returns their number. Doesn't wait.
  template <class Take>
  std::size_t receive(Take&& take) {
    const std::size_t count = fill();
    for (std::size_t i = 0; i < count; ++i) take(dtls::MutableBytes(received_[i]), paths_[i]);
    return count;
  }
  // Doesn't wait: a datagram that the kernel can't take is lost, as the network may lose any.
  void send(dtls::Bytes datagram, const dtls::UdpPath& path) const;

 private:
  static constexpr std::size_t kBatch = 16;
  // The largest UDP datagram.
  static constexpr std::size_t kLargest = 65535;

  explicit UdpSocket(int descriptor);
  std::size_t fill();

  int descriptor_;
  bool is_connected_ = false;
  bool is_refused_ = false;
  std::vector<std::byte> buffer_;
  std::array<std::span<std::byte>, kBatch> received_;
  std::array<dtls::UdpPath, kBatch> paths_;
};

}  // namespace sluice::interop::tools
