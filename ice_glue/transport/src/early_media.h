// SRTP that came before there were keys for it.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include <sluice/transport/media_transport.h>

namespace sluice::transport {

// Media follows the peer's Finished at once, and may overtake it; our acceptance of the peer may
// wait for the SDP answer. What fits waits here; the newest is dropped, since a decoder can begin
// only with what came first.
class EarlyMedia {
 public:
  struct Packet {
    MediaKind kind;
    dtls::Buffer bytes;
  };

  EarlyMedia(std::size_t max_packets, std::size_t max_packet_size)
      : max_packets_(max_packets), max_packet_size_(max_packet_size) {}

  // Why it isn't kept, if so.
  std::optional<Drop> keep(MediaKind kind, Bytes packet);
  // The oldest; empty when there is none.
  std::optional<Packet> take();

  [[nodiscard]] bool empty() const { return packets_.empty(); }
  void clear() { packets_ = {}; }

 private:
  std::size_t max_packets_;
  std::size_t max_packet_size_;
  std::vector<Packet> packets_;
};

}  // namespace sluice::transport
