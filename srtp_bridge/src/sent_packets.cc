#include "sent_packets.h"

#include <algorithm>
#include <bit>

namespace sluice::srtp {
namespace {

constexpr std::size_t kWordBits = 64;

constexpr std::uint64_t bit_of(std::uint64_t index) {
  return std::uint64_t{1} << (index % kWordBits);
}

}  // namespace

SentPackets::SentPackets(std::size_t window, std::size_t repeats)
    : window_(window),
      repeats_(repeats),
      used_(std::bit_ceil((window + kWordBits - 1) / kWordBits)),
      tags_(std::bit_ceil(repeats)) {}

void SentPackets::restore(const IndexHistory& history) {
  if (!history.highest()) return;
  const auto highest = *history.highest();
  use(highest);
  const auto below = std::min<std::uint64_t>(window_ - 1, highest);
  for (auto index = highest - below; index < highest; ++index) {
    if (history.contains(index)) word_of(index) |= bit_of(index);
  }
}

IndexHistory SentPackets::history() const {
  if (state_of(highest_) != State::used) return {};
  return IndexHistory::of(highest_, window_,
                          [this](std::uint64_t index) { return state_of(index) == State::used; });
}

SentPackets::State SentPackets::state_of(std::uint64_t index) const {
  if (index > highest_) return State::unused;
  if (highest_ - index >= window_) return State::out_of_window;
  return (word_of(index) & bit_of(index)) != 0 ? State::used : State::unused;
}

void SentPackets::use(std::uint64_t index) {
  if (index > highest_) {
    // What lies between has not been used.
    if (index - highest_ >= used_.size() * kWordBits) {
      std::ranges::fill(used_, 0);
    } else {
      for (auto skipped = highest_ + 1; skipped < index; ++skipped) {
        word_of(skipped) &= ~bit_of(skipped);
      }
    }
    highest_ = index;
  }
  word_of(index) |= bit_of(index);
  set_tag(index, 0);
}

void SentPackets::set_tag(std::uint64_t index, Tag tag) {
  if (repeatable(index)) tags_[index & (tags_.size() - 1)] = tag;
}

std::optional<SentPackets::Tag> SentPackets::tag_of(std::uint64_t index) const {
  if (!repeatable(index)) return std::nullopt;
  const Tag tag = tags_[index & (tags_.size() - 1)];
  return tag != 0 ? std::optional(tag) : std::nullopt;
}

bool SentPackets::repeatable(std::uint64_t index) const { return highest_ - index < repeats_; }

std::uint64_t& SentPackets::word_of(std::uint64_t index) {
  return used_[index / kWordBits & (used_.size() - 1)];
}
std::uint64_t SentPackets::word_of(std::uint64_t index) const {
  return used_[index / kWordBits & (used_.size() - 1)];
}

}  // namespace sluice::srtp
