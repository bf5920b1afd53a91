// A UDP socket that says to which of its addresses a datagram came, and answers from there.
#pragma once

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/path.h>

#include <array>
#include <span>
#include <utility>
#include <vector>

#include "tools/socket_address.h"

namespace sluice::interop::tools {

class UdpSocket {
 public:
  // `shares_port`: others of this process may bind the same port (SO_REUSEPORT). The kernel gives
  // all datagrams of one address to the same one.
  static tl::expected<UdpSocket, std::string> bind(const SocketAddress& address, bool shares_port);

  UdpSocket(UdpSocket&& other) noexcept;
  UdpSocket& operator=(UdpSocket&&) = delete;
  ~UdpSocket();

  [[nodiscard]] int descriptor() const { return descriptor_; }
  // What it is bound to.
  [[nodiscard]] dtls::UdpEndpoint own() const;

  // What has come, up to kBatch datagrams with one system call: calls `take(bytes, path)` with
  // each. How many there were.
  template <class Take>
  std::size_t receive(Take&& take) {
    const std::size_t count = fill();
    for (std::size_t i = 0; i < count; ++i) take(dtls::MutableBytes(received_[i]), paths_[i]);
    return count;
  }
  // What doesn't get out at once is lost, as on any path.
  void send(dtls::Bytes datagram, const dtls::UdpPath& path) const;

 private:
  static constexpr std::size_t kBatch = 16;
  // The largest that UDP has.
  static constexpr std::size_t kLargest = 65535;

  explicit UdpSocket(int descriptor);
  std::size_t fill();

  int descriptor_;
  std::vector<std::byte> buffer_;
  std::array<std::span<std::byte>, kBatch> received_;
  std::array<dtls::UdpPath, kBatch> paths_;
};

}  // namespace sluice::interop::tools
