// How peers come to have a connection.
#include "endpoint/impl.h"

namespace sluice::dtls {

void Endpoint::Impl::on_hello(SlotNumber known, const Glance& glance, MutableBytes datagram,
                              std::uint64_t hash, Instant now) {
  const Slot& slot = slots_[known];
  if (glance.hello) {
    const SlotNumber repeated = find_hello(known, *glance.hello, now);
    if (repeated != kNoSlot) {
      ++statistics_.repeated_hellos;
      return deliver(repeated, datagram, now);
    }
  }
  if (!slot.is_connected && slot.connection->role() == Role::client) {
    // Both ends call each other, or somebody forges: ours goes on, and must not see what no server
    // sends.
    ++statistics_.colliding_hellos;
    return;
  }
  const UdpPath path = slot.path;
  if (!glance.hello) {
    // Nothing says whose hello this is a piece of: if it is one that is known already, its
    // repetition asks for our flight again.
    const SlotNumber under_way = slot.is_connected ? slot.rival : known;
    if (under_way != kNoSlot) deliver(under_way, datagram, now);
  }
  on_stranger(datagram, path, hash, now);
}

void Endpoint::Impl::on_stranger(Bytes datagram, const UdpPath& path, std::uint64_t hash,
                                 Instant now) {
  if (!listener_) {
    ++statistics_.unknown;
    return;
  }
  ++statistics_.to_listener;
  reply_.reset();
  auto outcome = listener_->handle_datagram(datagram, endpoint::encode(path.peer), now);
  if (const auto* reply = std::get_if<Listener::Reply>(&outcome)) {
    reply_ = Reply{reply->datagram, path};
  } else if (auto* admission = std::get_if<Admission>(&outcome)) {
    admit(std::move(*admission), path, hash, now);
  }
}

void Endpoint::Impl::admit(Admission admission, const UdpPath& path, std::uint64_t hash,
                           Instant now) {
  SlotNumber known = find(path, hash);
  if (known != kNoSlot) {
    const std::uint32_t hello = endpoint::tail_of(admission.client_random());
    if (find_hello(known, hello, now) != kNoSlot) {
      ++statistics_.repeated_hellos;
      return;
    }
    const SlotNumber under_way = slots_[known].is_connected ? slots_[known].rival : known;
    // Who has begun anew won't go on with what it began before.
    if (under_way != kNoSlot) end(under_way, EndReason::replaced);
    if (under_way == known) known = kNoSlot;
  }
  if (const auto refusal = refuse(path.peer, known != kNoSlot, now)) {
    ++statistics_.refused[static_cast<std::size_t>(*refusal)];
    return;
  }
  accept(std::move(admission), known, path, now);
}

void Endpoint::Impl::accept(Admission admission, SlotNumber connected, const UdpPath& path,
                            Instant now) {
  const SlotNumber number = take_slot(path, now);
  Slot& slot = slots_[number];
  slot.hello = endpoint::tail_of(admission.client_random());
  auto accepted = Connection::accept(std::move(admission), *environment_, PathId{number}, now);
  slot.connection.emplace(std::move(accepted.connection));
  ++size_;
  ++statistics_.accepted;
  half_open_.push(slots_, number);
  half_open_of_hosts_.add(hash_, path.peer);
  if (connected == kNoSlot) {
    enter_index(number);
  } else {
    slot.is_challenger = true;
    slot.rival = connected;
    slots_[connected].rival = number;
  }
  settle(number, accepted.outcome, EndReason::closed_by_peer);
}

Endpoint::Impl::SlotNumber Endpoint::Impl::find_hello(SlotNumber known, std::uint32_t hello,
                                                      Instant now) const {
  if (is_repetition(slots_[known], hello, now)) return known;
  const SlotNumber rival = slots_[known].rival;
  return rival != kNoSlot && is_repetition(slots_[rival], hello, now) ? rival : kNoSlot;
}

bool Endpoint::Impl::is_repetition(const Slot& slot, std::uint32_t hello, Instant now) const {
  if (slot.connection->role() != Role::server || slot.hello != hello) return false;
  // As long as its cookie is good. A client whose random numbers are the same each time it starts
  // is let in after that.
  return !slot.is_connected || now - slot.begun < 2 * options_.listener.cookie_lifetime;
}

std::optional<Refusal> Endpoint::Impl::refuse(const UdpEndpoint& peer, bool is_challenger,
                                              Instant now) {
  // A challenger takes another's place in the end: only as half-open does it count.
  const std::size_t of_host = options_.max_connections_per_host;
  if (!is_challenger && of_host != 0 && connections_of_hosts_.of(hash_, peer) >= of_host) {
    return Refusal::too_many_connections_of_host;
  }
  const std::size_t half_open_of_host = options_.max_half_open_per_host;
  if (half_open_of_host != 0 && half_open_of_hosts_.of(hash_, peer) >= half_open_of_host) {
    return Refusal::too_many_half_open_of_host;
  }
  const bool is_full = !is_challenger && by_path_.size() >= options_.max_connections;
  if (!is_full && half_open_.size() < options_.max_half_open) return std::nullopt;
  const SlotNumber oldest = half_open_.first();
  const bool makes_room = oldest != kNoSlot && !(is_full && slots_[oldest].is_challenger);
  if (!makes_room || now - slots_[oldest].begun < options_.half_open_grace) {
    return is_full ? Refusal::too_many_connections : Refusal::too_many_half_open;
  }
  end(oldest, EndReason::displaced);
  return std::nullopt;
}

}  // namespace sluice::dtls
