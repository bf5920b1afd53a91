// A call of one sender and many receivers through an IceLiteServer on a UDP socket of the loopback
// interface.
#pragma once

#include <sluice/ice_lite/forward.h>
#include <sluice/udp/driver.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "support/ice_world.h"

namespace sluice::bench {

// Sockets that are not read. When their buffers are full, the kernel drops each datagram at the
// socket, after the whole receive path.
class Sinks {
 public:
  explicit Sinks(std::size_t count);
  Sinks(const Sinks&) = delete;
  Sinks& operator=(const Sinks&) = delete;
  ~Sinks();

  [[nodiscard]] const std::vector<dtls::UdpEndpoint>& addresses() const { return addresses_; }

 private:
  std::vector<int> sockets_;
  std::vector<dtls::UdpEndpoint> addresses_;
};

// A part of the packets, and the time from the socket of the sender to the return of the system
// call that sent it.
struct Departed {
  std::size_t packets;
  dtls::Duration after;
};

class FanOutCall {
 public:
  // DTLS 1.3 and AEAD_AES_128_GCM. `joins`: with UDP_SEGMENT.
  FanOutCall(const std::vector<dtls::UdpEndpoint>& receivers, bool joins);

  // The checks by which the sessions live on.
  void keep_alive();
  // The sender sends a burst of packets, and the server forwards it in one turn.
  void run(std::size_t burst);
  // Forwards a burst that has arrived, and sends nothing.
  void run_unsent(std::size_t burst);
  // As run(), watched.
  std::vector<Departed> run_watched(std::size_t burst);

  static constexpr std::size_t kPayload = 1200;
  // One of the sender's.
  [[nodiscard]] static test::Packet plaintext();

 private:
  using Server = ice_lite::IceLiteServer;

  static test::IceWorld make_world();
  void connect(const std::vector<dtls::UdpEndpoint>& receivers);
  void send_burst(std::size_t burst);
  // Whether there were packets.
  bool collect();
  // Sends a burst, and lets the server turn until all of it is in `batch`.
  template <class Batch>
  void forward_burst(std::size_t burst, Batch& batch);

  udp::Socket sender_;
  test::IceWorld world_;
  std::optional<udp::Driver<Server>> driver_;
  udp::SendBatch watched_;
  std::uint16_t sequence_ = 0;
  std::vector<rtp::ForwardedStream> streams_;
  std::vector<rtp::SequenceNumber> transport_numbers_;
  std::vector<ice_lite::Forward> receivers_;
  std::vector<rtp::Packet> packets_;
  ice_lite::ForwardCounts counts_;
};

}  // namespace sluice::bench
