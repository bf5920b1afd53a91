#include "load/loss_repair.h"

#include <algorithm>

namespace sluice::interop::load {

void LossRepair::on_packet(rtp::SequenceNumber number, dtls::Instant now) {
  if (!next_) next_ = number;
  const int ahead = rtp::distance(*next_, number);
  if (ahead < 0) {
    std::erase_if(missing_, [number](const Missing& each) { return each.number == number; });
    return;
  }
  const int most = static_cast<int>(kMaxMissing);
  for (int i = std::max(0, ahead - most); i < ahead; ++i) {
    missing_.push_back({.number = *next_ + i, .due = now});
    if (missing_.size() > kMaxMissing) missing_.pop_front();
  }
  next_ = number + 1;
}

std::optional<dtls::Instant> LossRepair::next_timeout() const {
  if (missing_.empty()) return std::nullopt;
  return std::ranges::min_element(missing_, {}, &Missing::due)->due;
}

std::vector<rtp::NackEntry> LossRepair::handle_timeout(dtls::Instant now) {
  std::vector<rtp::NackEntry> entries;
  for (Missing& each : missing_) {
    if (each.due > now) continue;
    each.due = now + kInterval;
    ++each.tries;
    if (entries.empty() || !entries.back().add(each.number)) {
      entries.push_back({.lost = each.number});
    }
  }
  // After the last request there is nothing left to do.
  std::erase_if(missing_, [](const Missing& each) { return each.tries == kTries; });
  return entries;
}

}  // namespace sluice::interop::load
