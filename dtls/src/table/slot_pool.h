// Slots that are used again, each time under another handle.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "table/slot_index.h"

namespace sluice::dtls::table {

// Slots do not move in memory. `Slot` has a member `std::uint32_t generation`, which counts its
// uses: it is half of a handle, so that a handle is valid for one use only. `ChunkSize` slots are
// allocated at a time.
template <class Slot, std::size_t ChunkSize>
class SlotPool {
 public:
  [[nodiscard]] Slot& operator[](SlotNumber number) {
    return (*chunks_[number / ChunkSize])[number % ChunkSize];
  }
  [[nodiscard]] const Slot& operator[](SlotNumber number) const {
    return (*chunks_[number / ChunkSize])[number % ChunkSize];
  }

  // One that was released, or a new one.
  SlotNumber take() {
    if (free_.empty()) {
      reserve(end_ + std::size_t{1});
      return end_++;
    }
    const SlotNumber number = free_.back();
    free_.pop_back();
    return number;
  }
  // Its handle is not valid any more.
  void release(SlotNumber number) {
    Slot& slot = (*this)[number];
    const std::uint32_t generation = slot.generation + 1;
    slot = {};
    slot.generation = generation;
    free_.push_back(number);
  }
  void reserve(std::size_t count) {
    while (chunks_.size() * ChunkSize < count) chunks_.push_back(std::make_unique<Chunk>());
  }

  template <class Handle>
  [[nodiscard]] Handle handle_of(SlotNumber number) const {
    return Handle{std::uint64_t{(*this)[number].generation} << 32 | number};
  }
  // Whether this is the handle of a slot's present use, or of its next one.
  template <class Handle>
  [[nodiscard]] bool is_present(Handle handle) const {
    const auto number = static_cast<SlotNumber>(handle);
    return number < end_ && handle_of<Handle>(number) == handle;
  }

  // Slots that have been taken and not released.
  [[nodiscard]] std::size_t taken() const { return end_ - free_.size(); }
  // Above the highest number that has ever been in use.
  [[nodiscard]] SlotNumber end() const { return end_; }

 private:
  using Chunk = std::array<Slot, ChunkSize>;

  std::vector<std::unique_ptr<Chunk>> chunks_;
  SlotNumber end_ = 0;
  std::vector<SlotNumber> free_;
};

}  // namespace sluice::dtls::table
