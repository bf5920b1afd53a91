// The last packets of a track, to be sent again.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <vector>

#include <sluice/rtp/packet.h>

namespace sluice::interop::sfu {

// A ring by sequence number. Memory is allocated once, with the first packet: a layer that is
// announced and never sent costs nothing.
class PacketCache {
 public:
  // The largest packet that is kept, in bytes: what an Ethernet carries.
  static constexpr std::size_t kMaxPacket = 1500;

  // `packets`: 1 to 32768.
  explicit PacketCache(std::size_t packets) : packets_(packets) {}

  // A packet that rtp::read_packet() accepts, with its number. It displaces the one `packets`
  // before it. A larger one than kMaxPacket is not kept.
  void add(rtp::Bytes bytes, rtp::SequenceNumber number);
  // The result points into the cache. Empty: it was never there, or is too old.
  [[nodiscard]] std::optional<rtp::Packet> find(rtp::Ssrc source, rtp::SequenceNumber number) const;

 private:
  struct Slot {
    std::size_t size = 0;  // 0: empty
    std::array<std::byte, kMaxPacket> bytes = {};
  };

  std::size_t packets_;
  std::vector<Slot> slots_;  // empty before the first packet
};

}  // namespace sluice::interop::sfu
