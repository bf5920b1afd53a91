#include "sfu/forwarding/packet_cache.h"

#include <algorithm>
#include <span>

namespace sluice::interop::sfu {

void PacketCache::add(rtp::Bytes bytes, const rtp::Packet& packet) {
  if (bytes.size() > kMaxPacket) return;
  if (slots_.empty()) slots_.resize(packets_);
  Slot& slot = slots_[rtp::number(packet.sequence_number) % slots_.size()];
  slot.source = packet.ssrc;
  slot.number = packet.sequence_number;
  slot.size = bytes.size();
  std::ranges::copy(bytes, slot.bytes.begin());
}

std::optional<rtp::Packet> PacketCache::find(rtp::Ssrc source, rtp::SequenceNumber number) const {
  if (slots_.empty()) return std::nullopt;
  const Slot& slot = slots_[rtp::number(number) % slots_.size()];
  if (slot.size == 0 || slot.source != source || slot.number != number) return std::nullopt;
  const auto packet = rtp::read_packet(std::span(slot.bytes).first(slot.size));
  return packet ? std::optional(*packet) : std::nullopt;
}

}  // namespace sluice::interop::sfu
