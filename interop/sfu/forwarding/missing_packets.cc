#include "sfu/forwarding/missing_packets.h"

namespace sluice::interop::sfu {

void MissingPackets::on_packet(rtp::SequenceNumber number, dtls::Instant now) {
  if (!highest_) highest_ = number;
  const int ahead = rtp::distance(*highest_, number);
  if (ahead <= 0) {
    std::erase_if(missing_, [number](const Missing& each) { return each.number == number; });
    return;
  }
  const auto gap = static_cast<std::size_t>(ahead - 1);
  if (missing_.size() + gap > kMost) missing_.clear();
  if (gap <= kMost) {
    for (int i = 1; i < ahead; ++i) missing_.push_back({.number = *highest_ + i, .since = now});
  }
  highest_ = number;
}

std::vector<rtp::NackEntry> MissingPackets::due(dtls::Instant now) {
  std::erase_if(missing_, [now](const Missing& each) { return now - each.since > kPatience; });
  std::vector<rtp::NackEntry> entries;
  for (Missing& each : missing_) {
    const bool is_lost =
        rtp::distance(each.number, *highest_) > kReordering || now - each.since >= kInterval;
    if (!is_lost || (each.asked_at && now - *each.asked_at < kInterval)) continue;
    each.asked_at = now;
    if (entries.empty() || !entries.back().add(each.number)) {
      entries.push_back({.lost = each.number});
    }
  }
  return entries;
}

}  // namespace sluice::interop::sfu
