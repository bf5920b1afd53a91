#include "early_media.h"

#include <utility>

namespace sluice::transport {

std::optional<Drop> EarlyMedia::keep(MediaKind kind, Bytes packet) {
  if (packet.size() > max_packet_size_) return Drop::early_media_large;
  if (packets_.size() == max_packets_) return Drop::early_media_full;
  packets_.push_back({kind, {packet.begin(), packet.end()}});
  return std::nullopt;
}

std::optional<EarlyMedia::Packet> EarlyMedia::take() {
  if (packets_.empty()) return std::nullopt;
  auto oldest = std::move(packets_.front());
  packets_.erase(packets_.begin());
  // Early media comes once per association: free the memory.
  if (packets_.empty()) clear();
  return oldest;
}

}  // namespace sluice::transport
