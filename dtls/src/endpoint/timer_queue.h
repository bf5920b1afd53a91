// Which connection has to be called first.
#pragma once

#include <optional>
#include <vector>

#include <sluice/dtls/clock.h>

#include "endpoint/slot_index.h"

namespace sluice::dtls::endpoint {

// A heap of four children a node that knows where each slot stands: the first timer costs nothing
// to tell, and to set, move or stop one takes O(log n). A slot without a timer costs 4 bytes, and
// no time.
class TimerQueue {
 public:
  // Empty: no timer.
  void set(SlotNumber slot, std::optional<Instant> when);
  [[nodiscard]] std::optional<Instant> next() const {
    return heap_.empty() ? std::nullopt : std::optional(heap_.front().when);
  }
  // Whose timer next() is; kNoSlot when there is none.
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
  // That many timers' room is never given back.
  static constexpr std::size_t kSpare = 1024;

  void stop(SlotNumber slot);
  // Puts `timer` at `at`, or where it belongs above or below.
  void settle(std::size_t at, Timer timer);
  void put(std::size_t at, Timer timer) {
    positions_[timer.slot] = static_cast<Position>(at);
    heap_[at] = timer;
  }

  std::vector<Timer> heap_;
  std::vector<Position> positions_;  // of each slot, in heap_
};

}  // namespace sluice::dtls::endpoint
