#include "record/replay_window.h"

#include <algorithm>
#include <utility>

namespace sluice::dtls::record {

// The masks tell the compiler the ranges of the numbers.
ReplayWindow::ReplayWindow(std::size_t size) : word_count_(size / kUnit & 0xfff) {
  if (!is_near()) {
    std::construct_at(&storage_.far, std::make_unique<std::uint64_t[]>(word_count_));
  }
}

ReplayWindow::ReplayWindow(ReplayWindow&& other) noexcept
    : end_(other.end_), word_count_(other.word_count_) {
  if (is_near()) {
    storage_.near = other.storage_.near;
  } else {
    std::construct_at(&storage_.far, std::move(other.storage_.far));
  }
}

ReplayWindow& ReplayWindow::operator=(ReplayWindow&& other) noexcept {
  if (this != &other) {
    std::destroy_at(this);
    std::construct_at(this, std::move(other));
  }
  return *this;
}

ReplayWindow::~ReplayWindow() {
  if (!is_near()) std::destroy_at(&storage_.far);
}

void ReplayWindow::mark_out_of_order(std::uint64_t number) {
  if (number >= end_) {
    if (number - end_ >= size()) {
      std::ranges::fill(words(), 0);
    } else {
      for (std::uint64_t skipped = end_; skipped < number; ++skipped) {
        words()[word_of(skipped)] &= ~bit_of(skipped);
      }
    }
    end_ = (number + 1) & 0xf'ffff'ffff'ffff;
  }
  if (end_ - 1 - number < size()) words()[word_of(number)] |= bit_of(number);
}

namespace {

constexpr std::byte kAllReceived{0xff};

bool has_bit(Bytes bits, std::uint64_t index) {
  return index / 8 >= bits.size() || (bits[index / 8] >> index % 8 & std::byte{1}) != std::byte{0};
}

}  // namespace

Buffer ReplayWindow::received() const {
  Buffer bits(size() / 8, kAllReceived);
  for (std::uint64_t i = 0; i < std::min<std::uint64_t>(size(), end_); ++i) {
    const std::uint64_t number = end_ - 1 - i;
    if ((words()[word_of(number)] & bit_of(number)) != 0) continue;
    bits[i / 8] &= ~(std::byte{1} << i % 8);
  }
  while (!bits.empty() && bits.back() == kAllReceived) bits.pop_back();
  return bits;
}

bool ReplayWindow::is_sound(std::uint64_t next, Bytes received) {
  if (next > wire::kMaxSequenceNumber + 1) return false;
  if (received.empty()) return true;
  // The highest number was received, and there are none below 0.
  if (received.back() == kAllReceived || !has_bit(received, 0)) return false;
  for (std::uint64_t i = next; i < 8 * received.size(); ++i) {
    if (!has_bit(received, i)) return false;
  }
  return true;
}

void ReplayWindow::restore(std::uint64_t next, Bytes received) {
  end_ = next & 0xf'ffff'ffff'ffff;
  std::ranges::fill(words(), 0);
  for (std::uint64_t i = 0; i < std::min<std::uint64_t>(size(), end_); ++i) {
    const std::uint64_t number = end_ - 1 - i;
    if (has_bit(received, i)) words()[word_of(number)] |= bit_of(number);
  }
}

}  // namespace sluice::dtls::record
