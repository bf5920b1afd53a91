#include "sent_packets.h"

#include <algorithm>
#include <bit>

namespace sluice::srtp {

SentPackets::SentPackets(std::size_t window, std::size_t repeats)
    : window_(window),
      repeats_(repeats),
      used_(std::bit_ceil((window + kWordBits - 1) / kWordBits)),
      tags_(std::bit_ceil(repeats)),
      word_mask_(used_.size() - 1),
      tag_mask_(tags_.size() - 1) {}

void SentPackets::restore(const IndexHistory& history) {
  if (!history.highest()) return;
  const auto highest = *history.highest();
  use(highest);
  const auto below = std::min<std::uint64_t>(window_ - 1, highest);
  for (auto index = highest - below; index < highest; ++index) {
    if (history.contains(index)) used_[word_of(index)] |= bit_of(index);
  }
}

IndexHistory SentPackets::history() const {
  if (state_of(highest_) != State::used) return {};
  return IndexHistory::of(highest_, window_,
                          [this](std::uint64_t index) { return state_of(index) == State::used; });
}

SentPackets::State SentPackets::state_of_older(std::uint64_t index) const {
  if (highest_ - index >= window_) return State::out_of_window;
  return (used_[word_of(index)] & bit_of(index)) != 0 ? State::used : State::unused;
}

void SentPackets::forget_between(std::uint64_t index) {
  if (index - highest_ >= used_.size() * kWordBits) {
    std::ranges::fill(used_, 0);
    return;
  }
  for (auto skipped = highest_ + 1; skipped < index; ++skipped) {
    used_[word_of(skipped)] &= ~bit_of(skipped);
  }
}

std::optional<SentPackets::Tag> SentPackets::tag_of(std::uint64_t index) const {
  if (!repeatable(index)) return std::nullopt;
  const Tag tag = tags_[index & tag_mask_];
  return tag != 0 ? std::optional(tag) : std::nullopt;
}

}  // namespace sluice::srtp
