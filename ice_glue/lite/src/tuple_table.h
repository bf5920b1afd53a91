// The tuples of all sessions: address pairs that valid checks have come from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <sluice/dtls/clock.h>
#include <sluice/dtls/path.h>

#include "crypto/keyed_hash.h"
#include "nomination.h"
#include "table/address_encoding.h"
#include "table/own_ends.h"
#include "table/slot_index.h"

namespace sluice::ice_lite {

using dtls::table::kNoSlot;
using dtls::table::SlotNumber;

struct Tuple {
  dtls::table::StoredPath path;  // with the PathId that its MediaTransport has for it
  SlotNumber session = kNoSlot;  // kNoSlot: the entry is free
  SlotNumber next = kNoSlot;     // of the same session
  Nominated checks;              // what they have nominated
  dtls::Instant checked{};       // the last check
  dtls::Instant added{};         // when the first check came
  dtls::Instant heard{};         // the last authenticated check, media or data
  std::uint32_t remote = 0;      // part of the hash of the remote ufrag, where that is not known
  // The transport has the path; the value is Session::least_generation of that time.
  IceGeneration told = 0;
  bool is_nominated = false;
  // The hash is of this process: false for a tuple that was restored, until its next check.
  bool is_remote_known = true;
};

class TupleTable {
 public:
  static constexpr std::size_t kMost = 0xffffff;

  [[nodiscard]] Tuple& operator[](SlotNumber number) { return tuples_[number]; }
  [[nodiscard]] const Tuple& operator[](SlotNumber number) const { return tuples_[number]; }

  static std::uint64_t hash_of(const dtls::crypto::KeyedHash& hash, const dtls::UdpPath& path) {
    return hash(dtls::table::encode(path));
  }
  // `hash` is hash_of(path); kNoSlot: no session has it.
  [[nodiscard]] SlotNumber find(std::uint64_t hash, const dtls::UdpPath& path) const {
    return index_.find(hash, [&](SlotNumber number) { return path_of(number) == path; });
  }
  // kNoSlot: the path is none of a tuple, or not any more.
  [[nodiscard]] SlotNumber find(dtls::PathId id) const;
  [[nodiscard]] dtls::UdpPath path_of(SlotNumber number) const {
    return ends_.path(tuples_[number].path);
  }

  // A path that find() has not found. There must be fewer than kMost.
  SlotNumber add(const dtls::crypto::KeyedHash& keyed, std::uint64_t hash,
                 const dtls::UdpPath& path);
  void remove(const dtls::crypto::KeyedHash& keyed, SlotNumber number);
  void reserve(std::size_t count);
  [[nodiscard]] std::size_t size() const { return index_.size(); }

 private:
  std::vector<Tuple> tuples_;
  SlotNumber free_ = kNoSlot;  // by Tuple::next
  dtls::table::SlotIndex index_;
  dtls::table::OwnEnds ends_;
};

}  // namespace sluice::ice_lite
