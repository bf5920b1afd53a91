#include "endpoint/slot_table.h"

namespace sluice::dtls::endpoint {

SlotNumber SlotTable::take() {
  SlotNumber number = end_;
  if (free_.empty()) {
    reserve(++end_);
  } else {
    number = free_.back();
    free_.pop_back();
  }
  return number;
}

void SlotTable::release(SlotNumber number) {
  Slot& slot = (*this)[number];
  const std::uint32_t generation = slot.generation + 1;
  slot = {};
  slot.generation = generation;
  free_.push_back(number);
}

void SlotTable::reserve(std::size_t count) {
  while (chunks_.size() * kChunk < count) chunks_.push_back(std::make_unique<Chunk>());
}

SlotNumber SlotTable::find(ConnectionHandle handle) const {
  const SlotNumber number = slot_of(handle);
  if (number >= end_) return kNoSlot;
  const Slot& slot = (*this)[number];
  return slot.is_alive() && handle_of(number) == handle ? number : kNoSlot;
}

}  // namespace sluice::dtls::endpoint
