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

void ReplayWindow::mark(wire::SequenceNumber sequence) {
  const std::uint64_t number = wire::value_of(sequence);
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

}  // namespace sluice::dtls::record
