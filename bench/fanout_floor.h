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

// Sends packets to each receiver, 64 messages by one system call, from an unconnected socket of its
// own.
class FanOutFloor {
 public:
  // `packet` in plaintext. `joined`: so many are one message to a receiver, by UDP_SEGMENT where
  // that is more than one.
  FanOutFloor(FloorWork work, const std::vector<dtls::UdpEndpoint>& receivers, dtls::Bytes packet,
              std::size_t joined);
  FanOutFloor(const FanOutFloor&) = delete;
  FanOutFloor& operator=(const FanOutFloor&) = delete;
  ~FanOutFloor();

  // Sends `joined` packets to each receiver.
  void run();

 private:
  static constexpr std::size_t kBatch = 64;  // kernel messages per system call

  // The next packets to a receiver; their size.
  std::size_t write(std::size_t receiver, dtls::MutableBytes buffer);
  void send(std::size_t count);

  FloorWork work_;
  std::size_t joined_;
  int socket_;
  std::vector<dtls::SocketAddress> receivers_;
  std::vector<RawSrtp> contexts_;  // of each receiver
  dtls::Buffer packet_;
  std::uint16_t sequence_ = 0;  // of the first packet of the next run()
  std::vector<dtls::Buffer> buffers_;
  std::array<iovec, kBatch> pieces_{};
  std::array<mmsghdr, kBatch> messages_{};
};

}  // namespace sluice::bench
