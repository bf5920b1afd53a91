#include "table/timer_queue.h"

#include <algorithm>
#include <utility>

namespace sluice::dtls::table {

void TimerQueue::set(SlotNumber slot, std::optional<Instant> when) {
  if (!when) return stop(slot);
  if (slot >= positions_.size()) positions_.resize(slot + std::size_t{1}, kNone);
  if (positions_[slot] == kNone) {
    positions_[slot] = static_cast<Position>(heap_.size());
    heap_.push_back({*when, slot});
  } else if (heap_[positions_[slot]].when == *when) {
    return;
  }
  settle(positions_[slot], {*when, slot});
}

void TimerQueue::stop(SlotNumber slot) {
  if (slot >= positions_.size() || positions_[slot] == kNone) return;
  const std::size_t at = std::exchange(positions_[slot], kNone);
  const Timer last = heap_.back();
  heap_.pop_back();
  if (at < heap_.size()) settle(at, last);
  // Frees the memory that a peak of handshakes has taken for timers.
  if (heap_.capacity() > kSpare && heap_.size() < heap_.capacity() / 4) {
    std::vector<Timer> fewer;
    fewer.reserve(std::max(heap_.size() * 2, kSpare));
    fewer.assign(heap_.begin(), heap_.end());
    heap_ = std::move(fewer);
  }
}

void TimerQueue::settle(std::size_t at, Timer timer) {
  while (at > 0) {
    const std::size_t parent = (at - 1) / kChildren;
    if (heap_[parent].when <= timer.when) break;
    put(at, heap_[parent]);
    at = parent;
  }
  for (;;) {
    const std::size_t begin = at * kChildren + 1;
    if (begin >= heap_.size()) break;
    const std::size_t end = std::min(begin + kChildren, heap_.size());
    std::size_t least = begin;
    for (std::size_t child = begin + 1; child < end; ++child) {
      if (heap_[child].when < heap_[least].when) least = child;
    }
    if (heap_[least].when >= timer.when) break;
    put(at, heap_[least]);
    at = least;
  }
  put(at, timer);
}

}  // namespace sluice::dtls::table
