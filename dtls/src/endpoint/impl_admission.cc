// How peers that connect to this endpoint get a connection.
#include "endpoint/impl.h"
#include "endpoint/tables.h"

namespace sluice::dtls {

void Endpoint::Impl::on_hello(SlotNumber known, MutableBytes datagram, std::uint64_t hash,
                              Instant now) {
  const Slot& slot = slots_[known];
  if (!slot.is_connected && slot.connection->role() == Role::client) {
    // Both ends have called connect(), or the ClientHello is forged. Our handshake as a client
    // continues; the ClientHello must not reach it.
    ++statistics_.colliding_hellos;
    return;
  }
  // Only its cookie tells a repetition from a client that begins anew, so the Listener reads it
  // first.
  const UdpPath path = path_of(slot);
  on_stranger(datagram, path, hash, now);
}

void Endpoint::Impl::on_stranger(MutableBytes datagram, const UdpPath& path, std::uint64_t hash,
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
    admit(std::move(*admission), datagram, path, hash, now);
  }
}

void Endpoint::Impl::admit(Admission admission, MutableBytes datagram, const UdpPath& path,
                           std::uint64_t hash, Instant now) {
  SlotNumber known = find(path, hash);
  if (known != kNoSlot) {
    const CookieNumber cookie = admission.cookie_number();
    const SlotNumber other = other_association(known);
    const SlotNumber under_way = slots_[known].is_connected ? other : known;
    if (!is_after(known, cookie, now) || !is_after(other, cookie, now)) {
      ++statistics_.repeated_hellos;
      // The handshake repeats its flight (RFC 6347 section 4.2.4).
      const bool is_same = under_way != kNoSlot && slots_[under_way].cookie == cookie;
      if (is_same) deliver(under_way, datagram, path, now);
      return;
    }
    // A client that begins another handshake does not continue one that it has begun before.
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
  slot.cookie = admission.cookie_number();
  auto accepted = Connection::accept(std::move(admission), *environment_, kFirstPath, now, &ids_);
  slot.connection.emplace(std::move(accepted.connection));
  ++size_;
  ++statistics_.accepted;
  half_open_.push(slots_, number);
  half_open_of_hosts_.add(hash_, path.peer);
  if (connected == kNoSlot) {
    enter_index(number);
  } else {
    slot.is_new_association = true;
    pairs_.insert({{number, connected}, {connected, number}});
  }
  settle(number, accepted.outcome, EndReason::closed_by_peer);
}

bool Endpoint::Impl::is_after(SlotNumber association, CookieNumber cookie, Instant now) const {
  if (association == kNoSlot) return true;
  const Slot& slot = slots_[association];
  if (slot.connection->role() != Role::server) return true;
  // No cookie that was given before the association began is valid after this time. Until then, and
  // for a minute more, the numbers tell which one is later.
  const Duration age = saturating_difference(now, Instant(slot.begun));
  if (age > 2 * options_.listener.cookie_lifetime) return true;
  return is_later(cookie, slot.cookie);
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
  const bool is_full = !is_new_association && occupied() >= options_.max_connections;
  const bool has_room = half_open_.size() < options_.max_half_open;
  if (!is_full && has_room) return std::nullopt;
  const SlotNumber oldest = half_open_.first();
  const bool makes_room = oldest != kNoSlot && !(is_full && slots_[oldest].is_new_association) &&
                          now - slots_[oldest].since >= options_.half_open_grace;
  if (makes_room) {
    end(oldest, EndReason::displaced);
    return std::nullopt;
  }
  // A silent connection gives way once the new one is connected: make_room_for().
  if (is_full && has_room && find_displaceable(now) != kNoSlot) return std::nullopt;
  return is_full ? Refusal::too_many_connections : Refusal::too_many_half_open;
}

}  // namespace sluice::dtls
