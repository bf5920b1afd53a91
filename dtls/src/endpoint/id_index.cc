#include "endpoint/id_index.h"

#include <algorithm>

#include <sluice/dtls/config.h>

namespace sluice::dtls::endpoint {
namespace {

// A source of random IDs repeats itself so often only when nearly all of its IDs are in use.
constexpr int kMostAttempts = 32;

}  // namespace

Result<void> IdIndex::use_size_of(const ConfigOptions& config) {
  const std::size_t wanted = config.connection_id_size.value_or(0);
  if (wanted == 0 || wanted == size_) return {};
  if (size_ != 0) {
    return tl::unexpected(Error{
        Errc::invalid_config,
        {},
        0,
        source_ != nullptr ? "connection_id_size: not the size of EndpointOptions::connection_ids"
                           : "connection_id_size: not that of the Endpoint's other connections"});
  }
  size_ = wanted;
  return {};
}

Result<void> IdIndex::make(MutableBytes out) {
  RandomConnectionIds random(environment_, size_);
  ConnectionIdSource& source = source_ != nullptr ? *source_ : random;
  for (int attempt = 0; attempt < kMostAttempts; ++attempt) {
    if (auto made = source.make(out); !made) return made;
    if (is_in_use(out)) continue;
    made_.emplace_back(out);
    return {};
  }
  return tl::unexpected(Error{Errc::connection_id_in_use, Alert::internal_error, 0,
                              "the source makes no new connection ID"});
}

void IdIndex::retire(Bytes id) {
  retired_.emplace_back(id);
  if (source_ != nullptr) source_->retire(id);
}

SlotNumber IdIndex::find(Bytes id) const {
  if (id.empty()) return kNoSlot;
  return by_id_.find(hash_(id), [&](SlotNumber slot) {
    return slots_[slot].connection->has_own_connection_id(id);
  });
}

bool IdIndex::is_in_use(Bytes id) const {
  return find(id) != kNoSlot || std::ranges::any_of(made_, [&](const ConnectionId& made) {
           return std::ranges::equal(made.bytes(), id);
         });
}

void IdIndex::enter(SlotNumber slot) {
  const Slot& owner = slots_[slot];
  for (const ConnectionId& id : retired_) by_id_.erase(hash_(id.bytes()), slot);
  for (const ConnectionId& id : made_) {
    // What failed meanwhile, the connection has not. One that has ended is found by no ID.
    const bool is_owned = owner.is_alive() && owner.connection->has_own_connection_id(id.bytes());
    if (is_owned) by_id_.insert(hash_(id.bytes()), slot);
  }
  made_.clear();
  retired_.clear();
}

void IdIndex::enter_all(SlotNumber slot) {
  made_.clear();
  retired_.clear();
  for (const ConnectionId& id : slots_[slot].connection->own_connection_ids()) {
    by_id_.insert(hash_(id.bytes()), slot);
  }
}

void IdIndex::remove(SlotNumber slot) {
  if (by_id_.size() == 0) return;
  for (const ConnectionId& id : slots_[slot].connection->own_connection_ids()) {
    by_id_.erase(hash_(id.bytes()), slot);
  }
}

}  // namespace sluice::dtls::endpoint
