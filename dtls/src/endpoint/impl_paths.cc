// Which connection a path belongs to, and how connections move from one path to another.
#include <utility>

#include "endpoint/impl.h"
#include "endpoint/tables.h"

namespace sluice::dtls {

std::uint64_t Endpoint::Impl::hash_of(const UdpPath& path) const {
  return hash_(endpoint::encode(path));
}

Endpoint::Impl::SlotNumber Endpoint::Impl::find(const UdpPath& path, std::uint64_t hash) const {
  return by_path_.find(hash, [&](SlotNumber number) { return path_of(slots_[number]) == path; });
}

UdpPath Endpoint::Impl::path_of(SlotNumber number, PathId id) const {
  const UdpPath* other = other_paths_.find(number, id);
  return other != nullptr ? *other : path_of(slots_[number]);
}

PathId Endpoint::Impl::number_of(SlotNumber number, const UdpPath& path) const {
  const Slot& slot = slots_[number];
  // A connection that is not to move sees one path only.
  const bool is_present = options_.peer_move == PeerMove::never || path_of(slot) == path;
  return is_present ? slot.path.number : other_paths_.number_of(number, path, slot.path.number);
}

// ---- the index of paths

void Endpoint::Impl::enter_index(SlotNumber number) {
  const Slot& slot = slots_[number];
  const UdpPath path = path_of(slot);
  const std::uint64_t hash = hash_of(path);
  const SlotNumber holder = find(path, hash);
  if (holder == kNoSlot || !needs_path(holder)) {
    if (holder != kNoSlot) by_path_.erase(hash, holder);
    by_path_.insert(hash, number);
  }
  if (counts_for_host(slot)) connections_of_hosts_.add(hash_, slot.path.peer);
}

bool Endpoint::Impl::needs_path(SlotNumber number) const {
  const Slot& slot = slots_[number];
  return !slot.is_connected || other_association(number) != kNoSlot ||
         slot.connection->own_connection_ids().empty();
}

void Endpoint::Impl::leave_index(SlotNumber number) {
  Slot& slot = slots_[number];
  const SlotNumber other = other_association(number);
  if (other != kNoSlot) {
    pairs_.erase(number);
    pairs_.erase(other);
  }
  if (std::exchange(slot.is_new_association, false)) return;
  // Does nothing where another connection at this path has the entry.
  by_path_.erase(hash_of(path_of(slot)), number);
  if (counts_for_host(slot)) connections_of_hosts_.remove(hash_, slot.path.peer);
  if (other == kNoSlot) return;
  slots_[other].is_new_association = false;
  enter_index(other);
}

bool Endpoint::Impl::counts_for_host(const Slot& slot) const {
  return options_.max_connections_per_host != 0 && slot.connection->role() == Role::server;
}

// ---- moves

Result<void> Endpoint::Impl::set_path(ConnectionHandle handle, const UdpPath& path) {
  const SlotNumber number = slots_.find(handle);
  if (number == kNoSlot) return tl::unexpected(Error{Errc::closed});
  const Slot& slot = slots_[number];
  if (path_of(slot) == path) return {};
  if (find(path, hash_of(path)) != kNoSlot) return path_is_in_use();
  if (!may_part(number)) return tl::unexpected(Error{Errc::too_many_connections});
  // A number that no path has had lately: the connection treats the one before the present as left.
  other_paths_.drop(number, other_paths_.number_of(number, path, slot.path.number));
  const PathId id = other_paths_.number_of(number, path, slot.path.number);
  move_path(number, path, id);
  slots_[number].connection->set_path(id);
  return {};
}

bool Endpoint::Impl::may_part(SlotNumber number) const {
  return other_association(number) == kNoSlot || occupied() < options_.max_connections;
}

void Endpoint::Impl::move_path(SlotNumber number, const UdpPath& path, PathId id) {
  Slot& slot = slots_[number];
  leave_index(number);
  if (slot.is_half_open()) {
    half_open_of_hosts_.remove(hash_, slot.path.peer);
    half_open_of_hosts_.add(hash_, path.peer);
  }
  other_paths_.exchange(number, id, slot.path.number, path_of(slot));
  own_ends_.release(hash_, slot.path);
  slot.path = own_ends_.store(hash_, path, id);
  enter_index(number);
}

void Endpoint::Impl::on_other_path(SlotNumber number, PathId id, const UdpPath& path,
                                   const Pending& outcome) {
  // Who sends what is not authentic leaves nothing behind.
  if (!outcome.record_opened) return;
  other_paths_.keep(number, id, path);
  const Slot& slot = slots_[number];
  // Before the peer is accepted, it is anybody: it cannot have datagrams sent elsewhere.
  const bool moves = options_.peer_move == PeerMove::newer_record && outcome.newest_record &&
                     slot.is_connected && may_part(number) &&
                     !slot.connection->info()->return_routability;
  if (moves) slots_[number].connection->set_path(id);
}

void Endpoint::Impl::follow_path(SlotNumber number) {
  Slot& slot = slots_[number];
  const PathId id = slot.connection->path();
  if (id == slot.path.number) return;
  const UdpPath* to = other_paths_.find(number, id);
  if (to == nullptr || !may_part(number)) return slot.connection->set_path(slot.path.number);
  moved_from_.try_emplace(number, path_of(slot));
  events_.push(slots_, number);
  ++statistics_.moves;
  move_path(number, UdpPath(*to), id);
}

void Endpoint::Impl::drop_other_paths(SlotNumber number) {
  if (other_paths_.size() == 0) return;
  const Slot& slot = slots_[number];
  // Nothing is under way that could be sent to another path.
  const bool is_quiet = !slot.connection->next_timeout() && !decltype(transmits_)::holds(slot);
  if (is_quiet) other_paths_.drop_all(number);
}

}  // namespace sluice::dtls
