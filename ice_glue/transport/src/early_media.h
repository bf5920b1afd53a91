// SRTP packets that came before their keys.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include <sluice/transport/media_transport.h>

namespace sluice::transport {

// The peer sends media right after its Finished, and the network may deliver it before that. Also
// the peer's fingerprint may come late, with the SDP answer. Packets wait here in the order of
// arrival. When there is no room the newest is dropped: a decoder needs the first packets.
class EarlyMedia {
 public:
  struct Packet {
    MediaKind kind;
    dtls::Buffer bytes;
  };

  EarlyMedia(std::size_t max_packets, std::size_t max_packet_size)
      : max_packets_(max_packets), max_packet_size_(max_packet_size) {}

  // Empty when the packet is kept, else why not.
  std::optional<Drop> keep(MediaKind kind, Bytes packet);
  // The oldest packet; empty when there is none.
  std::optional<Packet> take();

  [[nodiscard]] bool empty() const { return packets_.empty(); }
  void clear() { packets_ = {}; }

 private:
  std::size_t max_packets_;
  std::size_t max_packet_size_;
  std::vector<Packet> packets_;
};

}  // namespace sluice::transport
