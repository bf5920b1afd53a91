// What a fan-out costs at least: the kernel's UDP path, and libsrtp.
#pragma once

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/socket_address.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <vector>

#include "raw_srtp.h"

namespace sluice::bench {

enum class FloorWork : std::uint8_t {
  send,              // ready packets, by sendmmsg()
  protect,           // copied and protected by libsrtp for each receiver, and not sent
  protect_and_send,  // both
};

// Sends a packet to each receiver, 64 by one system call, from an unconnected socket of its own.
class FanOutFloor {
 public:
  // `packet` in plaintext.
  FanOutFloor(FloorWork work, const std::vector<dtls::UdpEndpoint>& receivers, dtls::Bytes packet);
  FanOutFloor(const FanOutFloor&) = delete;
  FanOutFloor& operator=(const FanOutFloor&) = delete;
  ~FanOutFloor();

  void run();

 private:
  static constexpr std::size_t kBatch = 64;  // kernel messages per system call

  void send(std::size_t count);

  FloorWork work_;
  int socket_;
  std::vector<dtls::SocketAddress> receivers_;
  std::vector<RawSrtp> contexts_;  // of each receiver
  dtls::Buffer packet_;
  std::uint16_t sequence_ = 0;
  std::vector<dtls::Buffer> buffers_;
  std::array<iovec, kBatch> pieces_{};
  std::array<mmsghdr, kBatch> messages_{};
};

}  // namespace sluice::bench
