// How peers that connect to this endpoint get a connection.
#include "endpoint/address_encoding.h"
#include "endpoint/impl.h"

namespace sluice::dtls {

void Endpoint::Impl::on_hello(SlotNumber known, const DatagramPeek& peek, MutableBytes datagram,
                              std::uint64_t hash, Instant now) {
  const Slot& slot = slots_[known];
  if (peek.client_random) {
    const SlotNumber repeated = find_repeated(known, *peek.client_random, now);
    if (repeated != kNoSlot) {
      ++statistics_.repeated_hellos;
      deliver(repeated, datagram, now);
      return;
    }
  }
  if (!slot.is_connected && slot.connection->role() == Role::client) {
    // Both ends have called connect(), or the ClientHello is forged. Our handshake as a client
    // continues; the ClientHello must not reach it.
    ++statistics_.colliding_hellos;
    return;
  }
  const UdpPath path = slot.path;
  if (!peek.client_random) {
    // A later fragment does not identify its ClientHello. If the handshake in progress has already
    // processed it, this is a retransmission, which the handshake answers with its flight.
    const SlotNumber under_way = slot.is_connected ? slot.other_association : known;
    if (under_way != kNoSlot) deliver(under_way, datagram, now);
  }
  on_unknown_source(datagram, path, hash, now);
}

void Endpoint::Impl::on_unknown_source(Bytes datagram, const UdpPath& path, std::uint64_t hash,
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
    const std::uint32_t client_random = endpoint::random_tail(admission.client_random());
    if (find_repeated(known, client_random, now) != kNoSlot) {
      ++statistics_.repeated_hellos;
      return;
    }
    // A client that begins another handshake does not continue one that it has begun before.
    const SlotNumber under_way =
        slots_[known].is_connected ? slots_[known].other_association : known;
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
  slot.client_random = endpoint::random_tail(admission.client_random());
  auto accepted = Connection::accept(std::move(admission), *environment_, kFirstPath, now);
  slot.connection.emplace(std::move(accepted.connection));
  ++size_;
  ++statistics_.accepted;
  half_open_.push(slots_, number);
  half_open_of_hosts_.add(hash_, path.peer);
  if (connected == kNoSlot) {
    enter_index(number);
  } else {
    slot.is_new_association = true;
    slot.other_association = connected;
    slots_[connected].other_association = number;
  }
  settle(number, accepted.outcome, EndReason::closed_by_peer);
}

Endpoint::Impl::SlotNumber Endpoint::Impl::find_repeated(SlotNumber known,
                                                         std::uint32_t client_random,
                                                         Instant now) const {
  if (is_repetition(slots_[known], client_random, now)) return known;
  const SlotNumber other = slots_[known].other_association;
  return other != kNoSlot && is_repetition(slots_[other], client_random, now) ? other : kNoSlot;
}

bool Endpoint::Impl::is_repetition(const Slot& slot, std::uint32_t client_random,
                                   Instant now) const {
  if (slot.connection->role() != Role::server || slot.client_random != client_random) return false;
  // A ClientHello can be repeated while its cookie is valid. After that, a client that makes the
  // same random at each start gets another connection.
  return !slot.is_connected || now - slot.begun < 2 * options_.listener.cookie_lifetime;
}

std::optional<Refusal> Endpoint::Impl::refuse(const UdpEndpoint& peer, bool is_new_association,
                                              Instant now) {
  // A new association replaces a connection in the end: it counts as half-open only.
  const std::size_t of_host = options_.max_connections_per_host;
  if (!is_new_association && of_host != 0 && connections_of_hosts_.of(hash_, peer) >= of_host) {
    return Refusal::too_many_connections_of_host;
  }
  const std::size_t half_open_of_host = options_.max_half_open_per_host;
  if (half_open_of_host != 0 && half_open_of_hosts_.of(hash_, peer) >= half_open_of_host) {
    return Refusal::too_many_half_open_of_host;
  }
  const bool is_full = !is_new_association && by_path_.size() >= options_.max_connections;
  if (!is_full && half_open_.size() < options_.max_half_open) return std::nullopt;
  const SlotNumber oldest = half_open_.first();
  const bool makes_room = oldest != kNoSlot && !(is_full && slots_[oldest].is_new_association);
  if (!makes_room || now - slots_[oldest].begun < options_.half_open_grace) {
    return is_full ? Refusal::too_many_connections : Refusal::too_many_half_open;
  }
  end(oldest, EndReason::displaced);
  return std::nullopt;
}

}  // namespace sluice::dtls
