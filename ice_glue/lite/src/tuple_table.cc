#include "tuple_table.h"

namespace sluice::ice_lite {
namespace {

// A PathId is the number of the tuple and, above it, how often that was used before: what is still
// meant for a former tuple finds no other one of the same session.
constexpr unsigned kNumberBits = 24;
static_assert(TupleTable::kMost == (1U << kNumberBits) - 1);

constexpr SlotNumber number_of(dtls::PathId id) {
  return static_cast<std::uint32_t>(id) & TupleTable::kMost;
}

}  // namespace

SlotNumber TupleTable::find(dtls::PathId id) const {
  const SlotNumber number = number_of(id);
  const bool is_known = number < tuples_.size() && tuples_[number].session != kNoSlot &&
                        tuples_[number].path.number == id;
  return is_known ? number : kNoSlot;
}

SlotNumber TupleTable::add(const dtls::crypto::KeyedHash& keyed, std::uint64_t hash,
                           const dtls::UdpPath& path) {
  SlotNumber number = free_;
  std::uint32_t id = 0;
  if (number == kNoSlot) {
    number = static_cast<SlotNumber>(tuples_.size());
    tuples_.emplace_back();
    id = number;
  } else {
    free_ = tuples_[number].next;
    id = static_cast<std::uint32_t>(tuples_[number].path.number) + (1U << kNumberBits);
  }
  tuples_[number] = {};
  tuples_[number].path = ends_.store(keyed, path, dtls::PathId{id});
  index_.insert(hash, number);
  return number;
}

void TupleTable::remove(const dtls::crypto::KeyedHash& keyed, SlotNumber number) {
  Tuple& tuple = tuples_[number];
  index_.erase(hash_of(keyed, path_of(number)), number);
  ends_.release(keyed, tuple.path);
  tuple.session = kNoSlot;
  tuple.next = free_;
  free_ = number;
}

void TupleTable::reserve(std::size_t count) {
  tuples_.reserve(count);
  index_.reserve(count);
}

}  // namespace sluice::ice_lite
