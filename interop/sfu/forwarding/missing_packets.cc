#include "sfu/forwarding/missing_packets.h"

#include <algorithm>

namespace sluice::interop::sfu {

void MissingPackets::on_packet(rtp::SequenceNumber number, dtls::Instant now) {
  if (!highest_) highest_ = number;
  const int ahead = rtp::distance(*highest_, number);
  if (ahead <= 0) {
    const auto end = missing_.begin() + static_cast<std::ptrdiff_t>(count_);
    const auto found = std::find_if(missing_.begin(), end,
                                    [number](const auto& each) { return each.number == number; });
    if (found != end) remove(static_cast<std::size_t>(found - missing_.begin()));
    return;
  }
  const auto gap = static_cast<std::size_t>(ahead - 1);
  if (count_ + gap > kMost) count_ = 0;
  if (gap <= kMost) {
    for (int i = 1; i < ahead; ++i) missing_.at(count_++) = {.number = *highest_ + i, .since = now};
  }
  highest_ = number;
}

void MissingPackets::remove(std::size_t index) {
  std::move(missing_.begin() + static_cast<std::ptrdiff_t>(index) + 1,
            missing_.begin() + static_cast<std::ptrdiff_t>(count_),
            missing_.begin() + static_cast<std::ptrdiff_t>(index));
  --count_;
}

void MissingPackets::ask_for(rtp::SequenceNumber number) {
  if (entry_count_ > 0) {
    rtp::NackEntry& last = entries_.at(entry_count_ - 1);
    const int behind = rtp::distance(last.lost, number);
    if (behind >= 1 && behind <= 16) {
      last.following |= static_cast<std::uint16_t>(1U << (behind - 1));
      return;
    }
  }
  entries_.at(entry_count_++) = {.lost = number};
}

std::span<const rtp::NackEntry> MissingPackets::due(dtls::Instant now) {
  while (count_ > 0 && now - missing_.front().since > kPatience) remove(0);
  entry_count_ = 0;
  for (std::size_t i = 0; i < count_; ++i) {
    Missing& each = missing_.at(i);
    const bool is_lost =
        rtp::distance(each.number, *highest_) > kReordering || now - each.since >= kInterval;
    if (!is_lost || (each.asked_at && now - *each.asked_at < kInterval)) continue;
    each.asked_at = now;
    ask_for(each.number);
  }
  return std::span(entries_).first(entry_count_);
}

}  // namespace sluice::interop::sfu
