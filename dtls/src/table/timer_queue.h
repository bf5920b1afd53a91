// The timers of many slots.
#pragma once

#include <optional>
#include <vector>

#include <sluice/dtls/clock.h>

#include "table/slot_index.h"

namespace sluice::dtls::table {

// A heap with four children per node, and the position of each slot in it. The first timer is read
// in O(1); setting, moving or stopping one takes O(log n). A slot without a timer takes 4 bytes and
// no time.
class TimerQueue {
 public:
  // Empty: no timer.
  void set(SlotNumber slot, std::optional<Instant> when);
  [[nodiscard]] std::optional<Instant> next() const {
    return heap_.empty() ? std::nullopt : std::optional(heap_.front().when);
  }
  // The slot whose timer next() is; kNoSlot when there is none.
  [[nodiscard]] SlotNumber first() const { return heap_.empty() ? kNoSlot : heap_.front().slot; }
  [[nodiscard]] std::size_t size() const { return heap_.size(); }

 private:
  struct Timer {
    Instant when{};
    SlotNumber slot{};
  };
  using Position = std::uint32_t;
  static constexpr Position kNone = UINT32_MAX;
  static constexpr std::size_t kChildren = 4;
  // Room for so many timers is never freed.
  static constexpr std::size_t kSpare = 1024;

  void stop(SlotNumber slot);
  // Puts `timer` at `at`, then moves it up or down to its place.
  void settle(std::size_t at, Timer timer);
  void put(std::size_t at, Timer timer) {
    positions_[timer.slot] = static_cast<Position>(at);
    heap_[at] = timer;
  }

  std::vector<Timer> heap_;
  std::vector<Position> positions_;  // of each slot, in heap_
};

}  // namespace sluice::dtls::table
