#include "table/slot_index.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace sluice::dtls::table {
namespace {

constexpr std::size_t kFewest = 16;

// With three of four entries in use, a search that fails reads 8 entries: one cache line.
constexpr bool is_too_full(std::size_t size, std::size_t entries) { return size * 4 > entries * 3; }

}  // namespace

void SlotIndex::insert(std::uint64_t hash, SlotNumber slot) {
  reserve(size_ + 1);
  place({static_cast<std::uint32_t>(hash), slot});
  ++size_;
}

void SlotIndex::erase(std::uint64_t hash, SlotNumber slot) {
  if (entries_.empty()) return;
  const auto tag = static_cast<std::uint32_t>(hash);
  std::size_t hole = tag & mask();
  while (entries_[hole].tag != tag || entries_[hole].slot != slot) {
    if (entries_[hole].slot == kNoSlot) return;
    hole = (hole + 1) & mask();
  }
  // Entries that follow move into the hole unless that is before the place of their hash. So
  // erased entries leave nothing that later searches would have to skip.
  for (std::size_t at = (hole + 1) & mask(); entries_[at].slot != kNoSlot; at = (at + 1) & mask()) {
    const std::size_t from_home = (at - entries_[at].tag) & mask();
    const std::size_t from_hole = (at - hole) & mask();
    if (from_home < from_hole) continue;
    entries_[hole] = entries_[at];
    hole = at;
  }
  entries_[hole] = {};
  --size_;
}

void SlotIndex::reserve(std::size_t count) {
  if (!is_too_full(count, entries_.size())) return;
  std::size_t entries = std::bit_ceil(std::max(count, kFewest));
  while (is_too_full(count, entries)) entries *= 2;
  resize(entries);
}

void SlotIndex::resize(std::size_t entries) {
  const auto old = std::exchange(entries_, std::vector<Entry>(entries));
  for (const Entry& entry : old) {
    if (entry.slot != kNoSlot) place(entry);
  }
}

void SlotIndex::place(Entry entry) {
  std::size_t at = entry.tag & mask();
  while (entries_[at].slot != kNoSlot) at = (at + 1) & mask();
  entries_[at] = entry;
}

}  // namespace sluice::dtls::table
