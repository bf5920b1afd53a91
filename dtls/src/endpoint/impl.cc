#include "endpoint/impl.h"

#include <algorithm>
#include <utility>

#include "connection/earliest.h"

namespace sluice::dtls {

Endpoint::Impl::Impl(const EndpointOptions& options, Environment& environment,
                     std::optional<Listener> listener, crypto::KeyedHash hash)
    : options_(options),
      environment_(&environment),
      listener_(std::move(listener)),
      hash_(std::move(hash)),
      ids_(slots_, hash_, environment, options.connection_ids),
      connections_of_hosts_(options.ipv6_host_prefix),
      half_open_of_hosts_(options.ipv6_host_prefix),
      wanted_(options.waking) {
  slots_.reserve(options.reserved_connections);
  by_path_.reserve(options.reserved_connections);
}

Result<void> Endpoint::Impl::prepare(const ConfigOptions& config) {
  auto fits = ids_.use_size_of(config);
  if (fits) ids_.reserve(options_.reserved_connections);
  return fits;
}

// ---- inputs

Result<ConnectionHandle> Endpoint::Impl::connect(ConfigPtr config, const UdpPath& path, Instant now,
                                                 const std::optional<ResumableSession>& session) {
  begin_input(now);
  if (occupied() >= options_.max_connections) {
    return tl::unexpected(Error{Errc::too_many_connections});
  }
  const std::uint64_t hash = hash_of(path);
  if (find(path, hash) != kNoSlot) {
    return path_is_in_use();
  }
  if (auto fits = prepare(config->options()); !fits) return forward_error(fits);
  const SlotNumber number = take_slot(path, now);
  auto made = Connection::client(std::move(config), *environment_, kFirstPath, now, session, &ids_);
  if (!made) {
    release_slot(number);
    return forward_error(made);
  }
  slots_[number].connection.emplace(*std::move(made));
  ++size_;
  enter_index(number);
  settle(number, Pending{.transmit = true}, EndReason::closed);
  return slots_.handle_of(number);
}

Pending Endpoint::Impl::handle_datagram(MutableBytes datagram, const UdpPath& path, Instant now) {
  begin_input(now);
  ++statistics_.datagrams_received;
  const IdInDatagram id = id_in(datagram);
  const SlotNumber owner = ids_.find(id.bytes);
  // A handshake takes plaintext from its own path only: anyone can write it.
  if (owner != kNoSlot && (!id.is_behind_plaintext || slots_[owner].is_connected)) {
    deliver(owner, datagram, path, now);
    return pending();
  }
  if (!id.bytes.empty() && owner == kNoSlot && options_.waking.max_wanted != 0) {
    want(id.bytes, datagram, path, now);
    return pending();
  }
  const std::uint64_t hash = hash_of(path);
  if (const SlotNumber known = find(path, hash); known != kNoSlot) {
    deliver_by_path(known, datagram, path, hash, now);
  } else if (!id.bytes.empty() && !id.is_behind_plaintext) {
    ++statistics_.unknown_connection_id;
  } else {
    on_stranger(datagram, path, hash, now);
  }
  return pending();
}

Endpoint::Impl::IdInDatagram Endpoint::Impl::id_in(Bytes datagram) const {
  if (ids_.size() == 0) return {};
  if (const Bytes first = ids_.id_in(datagram); !first.empty()) return {first};
  return {ids_.id_in(endpoint::behind_plaintext(datagram)), true};
}

Pending Endpoint::Impl::handle_timeout(Instant now) {
  begin_input(now);
  expire_wanted(now);
  // Another input to the same connection would drop its data.
  if (deliver_released(now)) return pending();
  // Each timer that is due fires once: one that is due again at once must not keep the others back.
  std::size_t timers = timers_.size();
  for (std::size_t left = options_.max_timers_per_call; left > 0; --left) {
    const auto next = timers > 0 ? timers_.next() : std::nullopt;
    const auto idle = idle_deadline();
    const auto ageing = ageing_deadline();
    const auto first = connection::earliest({next, idle, ageing});
    if (!first || *first > now) break;
    if (first == idle) {
      dismiss(longest_silent(), EndReason::idle, now);
      continue;
    }
    if (first == ageing) {
      age_one(now);
      continue;
    }
    --timers;
    const SlotNumber number = timers_.first();
    settle(number, slots_[number].connection->handle_timeout(now), EndReason::closed);
  }
  return pending();
}

void Endpoint::Impl::begin_input(Instant now) {
  drop_delivered();
  now_ = std::max(now_, now);
}

void Endpoint::Impl::drop_delivered() {
  // This input may come from a function that apply() has called.
  if (!pinned_.empty()) ids_.settle(pinned_.back());
  data_ = kNoSlot;
  if (!std::exchange(is_opened_late_, false)) opened_.clear();
}

Connection* Endpoint::Impl::begin_input(ConnectionHandle handle) {
  drop_delivered();
  const SlotNumber number = slots_.find(handle);
  return number == kNoSlot ? nullptr : &*slots_[number].connection;
}

Result<Pending> Endpoint::Impl::end_input(ConnectionHandle handle, const Result<Pending>& outcome) {
  // The caller's function may have ended the connection.
  if (const SlotNumber number = slots_.find(handle); number != kNoSlot) {
    if (outcome && outcome->data) data_ = number;
    settle(number, outcome, EndReason::closed);
  }
  if (!outcome) return forward_error(outcome);
  return pending();
}

void Endpoint::Impl::unpin() {
  // The slot has not been released meanwhile, because it has a connection.
  const SlotNumber number = pinned_.back();
  pinned_.pop_back();
  ids_.settle(number);
  const Slot& slot = slots_[number];
  const bool has_ended = slot.end && !decltype(transmits_)::holds(slot);
  if (has_ended) stop_transmitting(number);
}

Result<Pending> Endpoint::Impl::close(ConnectionHandle handle, Instant now) {
  now_ = std::max(now_, now);
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
  SendResult sealed = slots_[number].connection->seal(application_data, out);
  const auto before = timers_.next();
  // It may be time for new keys.
  set_timer(number);
  if (sealed) sealed->timer = timers_.next() != before;
  return sealed;
}

// ---- connections

Endpoint::Impl::SlotNumber Endpoint::Impl::take_slot(const UdpPath& path, Instant now) {
  const SlotNumber number = slots_.take();
  Slot& slot = slots_[number];
  slot.path = own_ends_.store(hash_, path);
  slot.begun = endpoint::to_minutes(now);
  slot.since = now;
  return number;
}

void Endpoint::Impl::release_slot(SlotNumber number) {
  own_ends_.release(hash_, slots_[number].path);
  slots_.release(number);
}

bool Endpoint::Impl::deliver(SlotNumber number, MutableBytes datagram, const UdpPath& path,
                             Instant now) {
  const PathId id = number_of(number, path);
  const auto outcome = slots_[number].connection->handle_datagram(datagram, id, now);
  if (outcome && outcome->data) data_ = number;
  if (outcome && id != slots_[number].path.number) on_other_path(number, id, path, *outcome);
  settle(number, outcome, EndReason::closed_by_peer);
  // Only a record that was opened leads to an error, unless too many were not.
  return outcome ? outcome->record_opened : outcome.error().code != Errc::integrity_limit_reached;
}

void Endpoint::Impl::deliver_by_path(SlotNumber known, MutableBytes datagram, const UdpPath& path,
                                     std::uint64_t hash, Instant now) {
  const auto kind = endpoint::peek(datagram);
  const SlotNumber other = other_association(known);
  if (kind == endpoint::DatagramKind::client_hello) {
    on_hello(known, datagram, hash, now);
  } else if (other == kNoSlot) {
    deliver(known, datagram, path, now);
  } else if (kind == endpoint::DatagramKind::plaintext) {
    deliver(other, datagram, path, now);
  } else {
    deliver_to_either(known, other, datagram, path, now);
  }
}

void Endpoint::Impl::deliver_to_either(SlotNumber connected, SlotNumber newer,
                                       MutableBytes datagram, const UdpPath& path, Instant now) {
  // A failed attempt to open a record in place destroys it.
  copy_.assign(datagram.begin(), datagram.end());
  const bool opened = deliver(connected, copy_, path, now);
  if (!opened && slots_[newer].is_alive()) deliver(newer, datagram, path, now);
}

void Endpoint::Impl::settle(SlotNumber number, const Result<Pending>& outcome, EndReason reason) {
  Slot& slot = slots_[number];
  const Connection& connection = *slot.connection;
  ids_.settle(number);
  follow_path(number);
  if (outcome && outcome->transmit) transmits_.push(slots_, number);
  if (outcome && outcome->event) events_.push(slots_, number);
  if (outcome && outcome->record_opened) on_record_of(number);
  if (connection.ended()) {
    if (outcome) return end(number, reason);
    return end(number, EndReason::failed, &outcome.error());
  }
  set_timer(number);
  drop_other_paths(number);
  if (!slot.is_connected && connection.connected()) on_connected(number);
}

void Endpoint::Impl::set_timer(SlotNumber number) {
  auto next = slots_[number].connection->next_timeout();
  // A timer that is due at once comes after those that have been due for longer.
  if (next) next = std::max(*next, now_);
  timers_.set(number, next);
}

void Endpoint::Impl::on_connected(SlotNumber number) {
  Slot& slot = slots_[number];
  leave_half_open(number);
  slot.is_connected = true;
  slot.since = now_;
  if (slot.connection->role() == Role::server) silence_list(slot).push(slots_, number);
  ++statistics_.connected;
  // RFC 9147 section 5.11, RFC 6347 section 4.2.8: the new association replaces the old one only
  // now, since a completed handshake shows that the peer is at this path and is authenticated.
  if (slot.is_new_association) end(other_association(number), EndReason::replaced);
  if (size_ - half_open_.size() > options_.max_connections) make_room_for(number, now_);
}

void Endpoint::Impl::end(SlotNumber number, EndReason reason, const Error* error) {
  Slot& slot = slots_[number];
  slot.end = reason;
  const Connection& ended = *slot.connection;
  end_reports_.insert_or_assign(
      number, EndReport{error != nullptr ? std::optional(*error) : std::nullopt, ended.info(),
                        ended.statistics()});
  --size_;
  timers_.set(number, std::nullopt);
  tags_.erase(number);
  if (slot.is_connected) {
    silence_list(slot).erase(slots_, number);
  } else {
    leave_half_open(number);
  }
  leave_index(number);
  ids_.remove(number);
  events_.push(slots_, number);
  // Handshakes that are displaced, connections that are replaced and exported ones end without a
  // word.
  const bool may_have_alert = reason != EndReason::aborted && reason != EndReason::replaced &&
                              reason != EndReason::exported &&
                              (reason != EndReason::displaced || slot.is_connected);
  if (may_have_alert) {
    transmits_.push(slots_, number);
  } else {
    stop_transmitting(number);
  }
}

void Endpoint::Impl::leave_half_open(SlotNumber number) {
  if (!slots_[number].is_half_open()) return;
  half_open_.erase(slots_, number);
  half_open_of_hosts_.remove(hash_, slots_[number].path.peer);
}

Pending Endpoint::Impl::pending() {
  const auto timeout = next_timeout();
  return {.transmit = reply_.has_value() || !transmits_.empty(),
          .data = data_ != kNoSlot || !opened_.empty(),
          .event = !events_.empty() || wanted_.has_news(),
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
