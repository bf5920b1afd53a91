// The slots of connections with outputs to be polled.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <utility>
#include <vector>

#include "endpoint/slot_table.h"

namespace sluice::dtls::endpoint {

// A first-in, first-out queue that holds each slot at most once. A slot that waits takes 4 bytes,
// and any other slot only its Slot::queued_in. The memory stays as large as it has ever been.
template <QueueOf Queue>
class SlotQueue {
 public:
  [[nodiscard]] bool empty() const { return size_ == 0; }
  // Not to be called when empty().
  [[nodiscard]] SlotNumber first() const { return at(0); }

  // Does nothing where the queue holds the slot already.
  void push(SlotTable& slots, SlotNumber number) {
    if (holds(slots[number])) return;
    if (size_ == ring_.size()) make_room(slots);
    ring_[place(size_++)] = number;
    slots[number].queued_in.set(Queue);
  }
  // Does nothing where the queue does not hold the slot. Behind the front, its number stays until
  // it comes there, or until room is needed: if the slot is pushed again, it keeps its place.
  void erase(SlotTable& slots, SlotNumber number) {
    slots[number].queued_in.clear(Queue);
    while (!empty() && !holds(slots[first()])) {
      head_ = place(1);
      --size_;
    }
  }
  [[nodiscard]] static bool holds(const Slot& slot) { return slot.queued_in.holds(Queue); }

 private:
  static constexpr std::size_t kLeastRoom = 16;

  [[nodiscard]] std::size_t place(std::size_t from_front) const {
    return (head_ + from_front) & (ring_.size() - 1);
  }
  [[nodiscard]] SlotNumber at(std::size_t from_front) const { return ring_[place(from_front)]; }
  // Drops the numbers of slots that are not held. If most are held, the room doubles.
  void make_room(SlotTable& slots) {
    std::vector<SlotNumber> held;
    for (std::size_t i = 0; i < size_; ++i) {
      if (!holds(slots[at(i)])) continue;
      held.push_back(at(i));
      slots[at(i)].queued_in.clear(Queue);  // drops its other places
    }
    for (const SlotNumber number : held) slots[number].queued_in.set(Queue);
    head_ = 0;
    size_ = held.size();
    held.resize(std::bit_ceil(std::max({kLeastRoom, ring_.size(), 2 * size_})));
    ring_ = std::move(held);
  }

  std::vector<SlotNumber> ring_;  // its size is a power of two, or none
  std::size_t head_ = 0;          // where the first is
  std::size_t size_ = 0;          // with the numbers of slots that are not held any more
};

}  // namespace sluice::dtls::endpoint
