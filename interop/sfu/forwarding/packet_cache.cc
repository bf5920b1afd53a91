#include "sfu/forwarding/packet_cache.h"

#include <algorithm>
#include <span>

namespace sluice::interop::sfu {

void PacketCache::add(rtp::Bytes bytes, rtp::SequenceNumber number) {
  if (bytes.size() > kMaxPacket) return;
  if (slots_.empty()) slots_.resize(packets_);
  Slot& slot = slots_[rtp::number(number) % slots_.size()];
  slot.size = bytes.size();
  std::ranges::copy(bytes, slot.bytes.begin());
}

std::optional<rtp::Packet> PacketCache::find(rtp::Ssrc source, rtp::SequenceNumber number) const {
  if (slots_.empty()) return std::nullopt;
  const Slot& slot = slots_[rtp::number(number) % slots_.size()];
  const auto packet = rtp::read_packet(std::span(slot.bytes).first(slot.size));
  if (!packet || packet->ssrc != source || packet->sequence_number != number) return std::nullopt;
  return *packet;
}

}  // namespace sluice::interop::sfu
