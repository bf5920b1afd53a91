// Finds slots by a key's hash; the keys lie elsewhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace sluice::dtls::endpoint {

// The place of a connection in its Endpoint.
using SlotNumber = std::uint32_t;
inline constexpr SlotNumber kNoSlot = UINT32_MAX;

// Open addressing with linear probing: 8 bytes an entry, at most three of four in use. Whoever can
// choose keys must not know their hashes, or probes get long: give it those of a KeyedHash. A slot
// may stand in several indexes, by several keys.
class SlotIndex {
 public:
  // The slot of this hash for which `is_it` holds, or kNoSlot.
  template <class IsIt>
  [[nodiscard]] SlotNumber find(std::uint64_t hash, IsIt&& is_it) const {
    if (entries_.empty()) return kNoSlot;
    const auto tag = static_cast<std::uint32_t>(hash);
    for (std::size_t at = tag & mask(); entries_[at].slot != kNoSlot; at = (at + 1) & mask()) {
      if (entries_[at].tag == tag && is_it(entries_[at].slot)) return entries_[at].slot;
    }
    return kNoSlot;
  }

  // Allocates when it is full: twice as many entries.
  void insert(std::uint64_t hash, SlotNumber slot);
  // What insert() was called with.
  void erase(std::uint64_t hash, SlotNumber slot);
  // Room for so many without another allocation.
  void reserve(std::size_t count);

  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  struct Entry {
    std::uint32_t tag = 0;
    SlotNumber slot = kNoSlot;  // kNoSlot: nothing here
  };

  [[nodiscard]] std::size_t mask() const { return entries_.size() - 1; }
  void resize(std::size_t entries);
  void place(Entry entry);

  std::vector<Entry> entries_;  // a power of two, or none
  std::size_t size_ = 0;
};

}  // namespace sluice::dtls::endpoint
