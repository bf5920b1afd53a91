// The slots of an Endpoint's connections, and lists through them.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <vector>

#include "endpoint/slot.h"

namespace sluice::dtls::endpoint {

// Slots do not move in memory. take() reuses those that were released.
class SlotTable {
 public:
  Slot& operator[](SlotNumber number) { return (*chunks_[number / kChunk])[number % kChunk]; }
  const Slot& operator[](SlotNumber number) const {
    return (*chunks_[number / kChunk])[number % kChunk];
  }

  SlotNumber take();
  // Its handle finds nothing from now on.
  void release(SlotNumber number);
  void reserve(std::size_t count);

  [[nodiscard]] ConnectionHandle handle_of(SlotNumber number) const {
    return ConnectionHandle{std::uint64_t{(*this)[number].generation} << 32 | number};
  }
  // kNoSlot for a handle that has never been valid or is valid no longer.
  [[nodiscard]] SlotNumber find(ConnectionHandle handle) const;
  // Above the highest number that has ever been in use.
  [[nodiscard]] SlotNumber end() const { return end_; }

 private:
  static constexpr std::size_t kChunk = 256;
  using Chunk = std::array<Slot, kChunk>;

  std::vector<std::unique_ptr<Chunk>> chunks_;
  SlotNumber end_ = 0;
  std::vector<SlotNumber> free_;
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
