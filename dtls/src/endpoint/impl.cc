#include "endpoint/impl.h"

namespace sluice::dtls {

Endpoint::Impl::Impl(const EndpointOptions& options, Environment& environment,
                     std::optional<Listener> listener, crypto::KeyedHash hash)
    : options_(options),
      environment_(&environment),
      listener_(std::move(listener)),
      hash_(std::move(hash)),
      connections_of_hosts_(options.ipv6_host_prefix),
      half_open_of_hosts_(options.ipv6_host_prefix) {
  slots_.reserve(options.reserved_connections);
  by_path_.reserve(options.reserved_connections);
}

// ---- inputs

Result<ConnectionHandle> Endpoint::Impl::connect(ConfigPtr config, const UdpPath& path, Instant now,
                                                 const std::optional<ResumableSession>& session) {
  data_ = kNoSlot;
  if (by_path_.size() >= options_.max_connections) {
    return tl::unexpected(Error{Errc::too_many_connections});
  }
  const std::uint64_t hash = hash_of(path);
  if (find(path, hash) != kNoSlot) {
    return path_is_in_use();
  }
  const SlotNumber number = take_slot(path, now);
  auto made = Connection::client(std::move(config), *environment_, kFirstPath, now, session);
  if (!made) {
    slots_.release(number);
    return forward_error(made);
  }
  slots_[number].connection.emplace(*std::move(made));
  ++size_;
  enter_index(number);
  settle(number, Pending{.transmit = true}, EndReason::closed);
  return slots_.handle_of(number);
}

Pending Endpoint::Impl::handle_datagram(MutableBytes datagram, const UdpPath& path, Instant now) {
  data_ = kNoSlot;
  ++statistics_.datagrams_received;
  const std::uint64_t hash = hash_of(path);
  const SlotNumber known = find_receiver(datagram, path, hash);
  if (known == kNoSlot) {
    on_unknown_source(datagram, path, hash, now);
    return pending();
  }
  const DatagramPeek peek = endpoint::peek(datagram);
  const SlotNumber other = slots_[known].other_association;
  if (peek.kind == DatagramPeek::Kind::client_hello) {
    on_hello(known, peek, datagram, hash, now);
  } else if (other == kNoSlot) {
    deliver(known, datagram, now);
  } else if (peek.kind == DatagramPeek::Kind::plaintext) {
    deliver(other, datagram, now);
  } else {
    deliver_to_either(known, other, datagram, now);
  }
  return pending();
}

Pending Endpoint::Impl::handle_timeout(Instant now) {
  data_ = kNoSlot;
  // Each timer that is due fires once: one that is due again at once must not keep the others back.
  for (std::size_t due = timers_.size(); due > 0; --due) {
    const auto next = timers_.next();
    if (!next || *next > now) break;
    const SlotNumber number = timers_.first();
    settle(number, slots_[number].connection->handle_timeout(now), EndReason::closed);
  }
  return pending();
}

Connection* Endpoint::Impl::begin_input(ConnectionHandle handle) {
  data_ = kNoSlot;
  const SlotNumber number = slots_.find(handle);
  return number == kNoSlot ? nullptr : &*slots_[number].connection;
}

Result<Pending> Endpoint::Impl::end_input(ConnectionHandle handle, const Result<Pending>& outcome) {
  const SlotNumber number = slots_.find(handle);
  if (outcome && outcome->data) data_ = number;
  settle(number, outcome, EndReason::closed);
  if (!outcome) return forward_error(outcome);
  return pending();
}

Result<Pending> Endpoint::Impl::close(ConnectionHandle handle, Instant now) {
  Connection* connection = begin_input(handle);
  if (connection == nullptr) return tl::unexpected(Error{Errc::closed});
  return end_input(handle, connection->close(now));
}

Pending Endpoint::Impl::close_all(Instant now) {
  for (SlotNumber number = 0; number < slots_.end(); ++number) {
    if (slots_[number].is_alive()) static_cast<void>(close(slots_.handle_of(number), now));
  }
  return pending();
}

Result<Pending> Endpoint::Impl::abort(ConnectionHandle handle) {
  if (begin_input(handle) == nullptr) return tl::unexpected(Error{Errc::closed});
  end(slots_.find(handle), EndReason::aborted);
  return pending();
}

SendResult Endpoint::Impl::seal(ConnectionHandle handle, Bytes application_data, MutableBytes out) {
  const SlotNumber number = slots_.find(handle);
  if (number == kNoSlot) return tl::unexpected(SendError::not_connected);
  const SendResult sealed = slots_[number].connection->seal(application_data, out);
  // It may be time for new keys.
  set_timer(number);
  return sealed;
}

// ---- connections

Endpoint::Impl::SlotNumber Endpoint::Impl::take_slot(const UdpPath& path, Instant now) {
  const SlotNumber number = slots_.take();
  Slot& slot = slots_[number];
  slot.path = path;
  slot.begun = now;
  return number;
}

bool Endpoint::Impl::deliver(SlotNumber number, MutableBytes datagram, Instant now) {
  Connection& connection = *slots_[number].connection;
  const auto outcome = connection.handle_datagram(datagram, connection.path(), now);
  if (outcome && outcome->data) data_ = number;
  settle(number, outcome, EndReason::closed_by_peer);
  // Only a record that was opened leads to an error, unless too many were not.
  return outcome ? outcome->record_opened : outcome.error().code != Errc::integrity_limit_reached;
}

void Endpoint::Impl::deliver_to_either(SlotNumber connected, SlotNumber newer,
                                       MutableBytes datagram, Instant now) {
  // A failed attempt to open a record in place destroys it.
  copy_.assign(datagram.begin(), datagram.end());
  const bool opened = deliver(connected, copy_, now);
  if (!opened && slots_[newer].is_alive()) deliver(newer, datagram, now);
}

void Endpoint::Impl::settle(SlotNumber number, const Result<Pending>& outcome, EndReason reason) {
  Slot& slot = slots_[number];
  const Connection& connection = *slot.connection;
  if (outcome && outcome->transmit) transmits_.push(slots_, number);
  if (outcome && outcome->event) events_.push(slots_, number);
  if (connection.ended()) {
    if (outcome) return end(number, reason);
    return end(number, EndReason::failed, &outcome.error());
  }
  set_timer(number);
  if (!slot.is_connected && connection.connected()) on_connected(number);
}

void Endpoint::Impl::set_timer(SlotNumber number) {
  timers_.set(number, slots_[number].connection->next_timeout());
}

void Endpoint::Impl::on_connected(SlotNumber number) {
  Slot& slot = slots_[number];
  slot.is_connected = true;
  ++statistics_.connected;
  leave_half_open(number);
  // RFC 9147 section 5.11, RFC 6347 section 4.2.8: the new association replaces the old one only
  // now, since a completed handshake shows that the peer is at this path and is authenticated.
  if (slot.is_new_association) end(slot.other_association, EndReason::replaced);
}

void Endpoint::Impl::end(SlotNumber number, EndReason reason, const Error* error) {
  Slot& slot = slots_[number];
  slot.end = reason;
  if (error != nullptr) errors_.insert_or_assign(number, *error);
  --size_;
  timers_.set(number, std::nullopt);
  leave_half_open(number);
  leave_index(number);
  events_.push(slots_, number);
  const bool may_have_alert = reason == EndReason::closed || reason == EndReason::closed_by_peer ||
                              reason == EndReason::failed;
  if (may_have_alert) {
    transmits_.push(slots_, number);
  } else {
    stop_transmitting(number);
  }
}

void Endpoint::Impl::leave_half_open(SlotNumber number) {
  if (!half_open_.holds(slots_[number])) return;
  half_open_.erase(slots_, number);
  half_open_of_hosts_.remove(hash_, slots_[number].path.peer);
}

Pending Endpoint::Impl::pending() {
  const auto timeout = timers_.next();
  return {.transmit = reply_.has_value() || !transmits_.empty(),
          .data = data_ != kNoSlot,
          .event = !events_.empty(),
          .timer = std::exchange(reported_timeout_, timeout) != timeout};
}

// ---- state

const endpoint::Slot* Endpoint::Impl::slot_of(ConnectionHandle handle) const {
  const SlotNumber number = slots_.find(handle);
  return number == kNoSlot ? nullptr : &slots_[number];
}

std::optional<ConnectionHandle> Endpoint::Impl::find(const UdpPath& path) const {
  const SlotNumber number = find(path, hash_of(path));
  return number == kNoSlot ? std::nullopt : std::optional(slots_.handle_of(number));
}

const ListenerStatistics& Endpoint::Impl::listener_statistics() const {
  static constexpr ListenerStatistics kNone{};
  return listener_ ? listener_->statistics() : kNone;
}

}  // namespace sluice::dtls
