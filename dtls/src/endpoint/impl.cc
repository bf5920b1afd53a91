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
    return tl::unexpected(Error{Errc::invalid_argument, {}, 0, "path: has a connection"});
  }
  const SlotNumber number = take_slot(path, now);
  auto made = Connection::client(std::move(config), *environment_, PathId{number}, now, session);
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
  const SlotNumber known = find(path, hash);
  if (known == kNoSlot) {
    on_stranger(datagram, path, hash, now);
    return pending();
  }
  const Glance glance = endpoint::glance(datagram);
  const SlotNumber rival = slots_[known].rival;
  if (glance.kind == Glance::Kind::client_hello) {
    on_hello(known, glance, datagram, hash, now);
  } else if (rival == kNoSlot) {
    deliver(known, datagram, now);
  } else if (glance.kind == Glance::Kind::plaintext) {
    deliver(rival, datagram, now);
  } else {
    deliver_to_either(known, rival, datagram, now);
  }
  return pending();
}

Pending Endpoint::Impl::handle_timeout(Instant now) {
  data_ = kNoSlot;
  // One that wants to be called at once again has to wait for its turn.
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

std::uint64_t Endpoint::Impl::hash_of(const UdpPath& path) const {
  return hash_(endpoint::encode(path));
}

Endpoint::Impl::SlotNumber Endpoint::Impl::find(const UdpPath& path, std::uint64_t hash) const {
  return by_path_.find(hash, [&](SlotNumber number) { return slots_[number].path == path; });
}

Endpoint::Impl::SlotNumber Endpoint::Impl::take_slot(const UdpPath& path, Instant now) {
  const SlotNumber number = slots_.take();
  Slot& slot = slots_[number];
  slot.path = path;
  slot.begun = now;
  return number;
}

void Endpoint::Impl::enter_index(SlotNumber number) {
  Slot& slot = slots_[number];
  slot.is_challenger = false;
  slot.rival = kNoSlot;
  by_path_.insert(hash_of(slot.path), number);
  if (options_.max_connections_per_host != 0 && slot.connection->role() == Role::server) {
    connections_of_hosts_.add(hash_, slot.path.peer);
  }
}

void Endpoint::Impl::deliver(SlotNumber number, MutableBytes datagram, Instant now) {
  const auto outcome = slots_[number].connection->handle_datagram(datagram, PathId{number}, now);
  if (outcome && outcome->data) data_ = number;
  settle(number, outcome, EndReason::closed_by_peer);
}

// Both may use the same epochs. The one whose keys open a record is the right one; a copy, since
// the attempt leaves nothing that the other could open.
void Endpoint::Impl::deliver_to_either(SlotNumber connected, SlotNumber challenger,
                                       MutableBytes datagram, Instant now) {
  const Connection& first = *slots_[connected].connection;
  copy_.assign(datagram.begin(), datagram.end());
  const std::uint64_t opened = first.statistics().records_received;
  deliver(connected, copy_, now);
  if (first.statistics().records_received == opened && slots_[challenger].is_alive()) {
    deliver(challenger, datagram, now);
  }
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
  // RFC 9147 section 5.11, RFC 6347 section 4.2.8: now the peer has shown that it is the same, or
  // at least in the same place, and that it has a right to be.
  if (slot.is_challenger) end(slot.rival, EndReason::replaced);
}

void Endpoint::Impl::end(SlotNumber number, EndReason reason, const Error* error) {
  Slot& slot = slots_[number];
  slot.end = reason;
  if (error != nullptr) errors_.insert_or_assign(number, *error);
  --size_;
  timers_.set(number, std::nullopt);
  leave_half_open(number);
  const SlotNumber rival = std::exchange(slot.rival, kNoSlot);
  if (slot.is_challenger) {
    slots_[rival].rival = kNoSlot;
  } else {
    by_path_.erase(hash_of(slot.path), number);
    if (options_.max_connections_per_host != 0 && slot.connection->role() == Role::server) {
      connections_of_hosts_.remove(hash_, slot.path.peer);
    }
    if (rival != kNoSlot) enter_index(rival);
  }
  events_.push(slots_, number);
  const bool has_last_words = reason == EndReason::closed || reason == EndReason::closed_by_peer ||
                              reason == EndReason::failed;
  if (has_last_words) {
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

// ---- what it knows

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
