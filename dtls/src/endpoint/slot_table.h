// The slots of an Endpoint's connections, and lists through them.
#pragma once

#include <cstddef>

#include "endpoint/slot.h"
#include "table/slot_pool.h"

namespace sluice::dtls::endpoint {

// Found by the handles of their connections.
class SlotTable : public table::SlotPool<Slot, 256> {
 public:
  [[nodiscard]] ConnectionHandle handle_of(SlotNumber number) const {
    return SlotPool::handle_of<ConnectionHandle>(number);
  }
  // kNoSlot for a handle that has never been valid or is valid no longer.
  [[nodiscard]] SlotNumber find(ConnectionHandle handle) const {
    const SlotNumber number = slot_of(handle);
    return is_present(handle) && (*this)[number].is_alive() ? number : kNoSlot;
  }
};

// A doubly linked list through the slots, in the order of push().
class SlotList {
 public:
  [[nodiscard]] bool empty() const { return first_ == kNoSlot; }
  [[nodiscard]] SlotNumber first() const { return first_; }
  [[nodiscard]] std::size_t size() const { return size_; }

  // Does nothing where the list holds the slot already.
  void push(SlotTable& slots, SlotNumber number) {
    Links& links = slots[number].links;
    if (links.next != Links::kApart) return;
    links = {last_, kNoSlot};
    (last_ == kNoSlot ? first_ : slots[last_].links.next) = number;
    last_ = number;
    ++size_;
  }
  // Does nothing where the list does not hold the slot.
  void erase(SlotTable& slots, SlotNumber number) {
    Links& links = slots[number].links;
    if (links.next == Links::kApart) return;
    (links.previous == kNoSlot ? first_ : slots[links.previous].links.next) = links.next;
    (links.next == kNoSlot ? last_ : slots[links.next].links.previous) = links.previous;
    links = {};
    --size_;
  }

 private:
  SlotNumber first_ = kNoSlot;
  SlotNumber last_ = kNoSlot;
  std::size_t size_ = 0;
};

}  // namespace sluice::dtls::endpoint
