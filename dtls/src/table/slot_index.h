// Finds slots by the hash of a key. The keys are elsewhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace sluice::dtls::table {

// Numbers the slots of a table.
using SlotNumber = std::uint32_t;
inline constexpr SlotNumber kNoSlot = UINT32_MAX;

// A hash table with open addressing and linear probing: 8 bytes per entry, at most three of four
// entries in use. The hashes must come from a KeyedHash, because an attacker who can predict hashes
// can make probes long. A slot may be in several indexes, and in one by several keys.
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

  // Allocates a table of twice the size if this one is full.
  void insert(std::uint64_t hash, SlotNumber slot);
  // The arguments are those of insert(). Does nothing where there is no such entry.
  void erase(std::uint64_t hash, SlotNumber slot);
  // Makes room for `count` slots, so that insert() does not allocate.
  void reserve(std::size_t count);

  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  struct Entry {
    std::uint32_t tag = 0;
    SlotNumber slot = kNoSlot;  // kNoSlot: the entry is free
  };

  [[nodiscard]] std::size_t mask() const { return entries_.size() - 1; }
  void resize(std::size_t entries);
  void place(Entry entry);

  std::vector<Entry> entries_;  // a power of two, or none
  std::size_t size_ = 0;
};

}  // namespace sluice::dtls::table
