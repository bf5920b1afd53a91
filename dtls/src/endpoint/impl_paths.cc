// Which connection a path belongs to, and how connections move from one path to another.
#include <utility>

#include "endpoint/address_encoding.h"
#include "endpoint/impl.h"

namespace sluice::dtls {

std::uint64_t Endpoint::Impl::hash_of(const UdpPath& path) const {
  return hash_(endpoint::encode(path));
}

Endpoint::Impl::SlotNumber Endpoint::Impl::find(const UdpPath& path, std::uint64_t hash) const {
  return by_path_.find(hash, [&](SlotNumber number) { return path_of(slots_[number]) == path; });
}

Endpoint::Impl::SlotNumber Endpoint::Impl::find_receiver(Bytes /*datagram*/, const UdpPath& path,
                                                         std::uint64_t hash) const {
  return find(path, hash);
}

UdpPath Endpoint::Impl::path_of(SlotNumber number, PathId id) const {
  const UdpPath* other = other_paths_.find(number, id);
  return other != nullptr ? *other : path_of(slots_[number]);
}

void Endpoint::Impl::enter_index(SlotNumber number) {
  const Slot& slot = slots_[number];
  by_path_.insert(hash_of(path_of(slot)), number);
  if (counts_for_host(slot)) connections_of_hosts_.add(hash_, slot.path.peer);
}

void Endpoint::Impl::leave_index(SlotNumber number) {
  Slot& slot = slots_[number];
  const SlotNumber other = std::exchange(slot.other_association, kNoSlot);
  if (std::exchange(slot.is_new_association, false)) {
    slots_[other].other_association = kNoSlot;
    return;
  }
  by_path_.erase(hash_of(path_of(slot)), number);
  if (counts_for_host(slot)) connections_of_hosts_.remove(hash_, slot.path.peer);
  if (other == kNoSlot) return;
  slots_[other].other_association = kNoSlot;
  slots_[other].is_new_association = false;
  enter_index(other);
}

bool Endpoint::Impl::counts_for_host(const Slot& slot) const {
  return options_.max_connections_per_host != 0 && slot.connection->role() == Role::server;
}

Result<void> Endpoint::Impl::set_path(ConnectionHandle handle, const UdpPath& path) {
  const SlotNumber number = slots_.find(handle);
  if (number == kNoSlot) return tl::unexpected(Error{Errc::closed});
  if (path_of(slots_[number]) == path) return {};
  if (find(path, hash_of(path)) != kNoSlot) return path_is_in_use();
  // Two associations at one path count once, and twice when they are apart.
  const bool is_pair = slots_[number].other_association != kNoSlot;
  if (is_pair && by_path_.size() >= options_.max_connections) {
    return tl::unexpected(Error{Errc::too_many_connections});
  }
  move_path(number, path);
  return {};
}

void Endpoint::Impl::move_path(SlotNumber number, const UdpPath& path) {
  Slot& slot = slots_[number];
  leave_index(number);
  if (slot.is_half_open()) {
    half_open_of_hosts_.remove(hash_, slot.path.peer);
    half_open_of_hosts_.add(hash_, path.peer);
  }
  slot.connection->set_path(other_paths_.move(number, path_of(slot)));
  own_ends_.release(hash_, slot.path);
  slot.path = own_ends_.store(hash_, path);
  enter_index(number);
}

}  // namespace sluice::dtls
