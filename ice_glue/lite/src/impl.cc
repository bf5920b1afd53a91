// Inputs in general: datagrams, time, and what they leave.
#include "impl.h"

#include <algorithm>
#include <utility>

namespace sluice::ice_lite {

IceLiteServer::Impl::Impl(const ServerOptions& options, dtls::Environment& environment,
                          dtls::crypto::KeyedHash keyed)
    : options_(options),
      environment_(&environment),
      keyed_(std::move(keyed)),
      hosts_(options.ipv6_host_prefix),
      early_(options),
      budget_(options.max_error_responses) {
  sessions_.reserve(options.reserved_sessions);
  tuples_.reserve(options.reserved_sessions);
}

// ---- every input

void IceLiteServer::Impl::begin_turn(Instant now) {
  latest_ = std::max(latest_, now);
  media_.clear();
  // What was not polled points into a datagram that is gone: an input without effect makes the
  // transport forget it.
  for (const Output output : {Output::data, Output::media}) {
    for (std::size_t left = queues_[static_cast<std::size_t>(output)].size(); left > 0; --left) {
      const SlotNumber number = first(output);
      if (number == kNoSlot) break;
      pop(output);
      settle(number, sessions_[number].transport->handle_timeout(latest_));
      release_if_done(number);
    }
  }
}

Pending IceLiteServer::Impl::end_turn() {
  const auto has = [&](Output output) {
    return !queues_[static_cast<std::size_t>(output)].empty();
  };
  const auto timeout = next_timeout();
  return {.transmit = !responses_.empty() || has(Output::transmit),
          .media = has(Output::media) || !media_.empty(),
          .data = has(Output::data),
          .event = has(Output::event),
          .timer = std::exchange(reported_timeout_, timeout) != timeout};
}

void IceLiteServer::Impl::settle(SlotNumber number,
                                 const dtls::Result<transport::TransportPending>& outcome) {
  if (!outcome) {
    if (outcome.error().is_fatal) end(number, EndReason::failed, outcome.error());
    return;
  }
  if (outcome->transmit) {
    collect_handshake(number);
    queue(Output::transmit, number);
  }
  if (outcome->media) queue(Output::media, number);
  if (outcome->data) queue(Output::data, number);
  if (outcome->event) queue(Output::event, number);
  Session& session = sessions_[number];
  if (outcome->event && session.transport->ended()) {
    end(number, EndReason::closed_by_peer);
  } else if (outcome->timer) {
    set_timer(number);
  }
}

void IceLiteServer::Impl::queue(Output output, SlotNumber number) {
  const auto index = static_cast<std::size_t>(output);
  if (std::exchange(sessions_[number].is_queued[index], true)) return;
  queues_[index].push(number);
}

void IceLiteServer::Impl::queue_what_waited(SlotNumber number) {
  for (const Output each : {Output::data, Output::media, Output::event}) queue(each, number);
}

SlotNumber IceLiteServer::Impl::first(Output output) {
  const auto index = static_cast<std::size_t>(output);
  auto& waiting = queues_[index];
  // A session that was released is in no queue any more.
  while (!waiting.empty() && !sessions_[waiting.front()].is_queued[index]) waiting.pop();
  return waiting.empty() ? kNoSlot : waiting.front();
}

void IceLiteServer::Impl::pop(Output output) {
  const auto index = static_cast<std::size_t>(output);
  sessions_[queues_[index].front()].is_queued[index] = false;
  queues_[index].pop();
}

// ---- time

void IceLiteServer::Impl::set_timer(SlotNumber number) {
  const Session& session = sessions_[number];
  auto due = session.transport->next_timeout();
  if (session.tuples_due && (!due || *session.tuples_due < *due)) due = session.tuples_due;
  timers_.set(number, session.has_ended ? std::nullopt : due);
}

std::optional<Instant> IceLiteServer::Impl::next_timeout() const {
  const auto next = timers_.next();
  return next ? std::optional(std::max(*next, latest_)) : std::nullopt;
}

Pending IceLiteServer::Impl::handle_timeout(Instant now) {
  begin_turn(now);
  for (std::size_t served = 0; served < options_.max_timers_per_call; ++served) {
    const auto due = timers_.next();
    if (!due || *due > now) break;
    const SlotNumber number = timers_.first();
    if (sessions_[number].tuples_due && *sessions_[number].tuples_due <= now) {
      expire_tuples(number, now);
    }
    settle(number, sessions_[number].transport->handle_timeout(now));
    set_timer(number);
  }
  return end_turn();
}

// ---- datagrams

Pending IceLiteServer::Impl::handle_datagram(MutableBytes datagram, const dtls::UdpPath& path,
                                             Instant now) {
  begin_turn(now);
  take(arrival_of(datagram, path, now));
  return end_turn();
}

BatchPending IceLiteServer::Impl::handle_datagrams(
    std::span<const dtls::ReceivedDatagram> datagrams, Instant now) {
  begin_turn(now);
  std::size_t taken = 0;
  for (const auto& datagram : datagrams) {
    const Arrival arrival = arrival_of(datagram.bytes, datagram.path, now);
    if (taken > 0 && must_wait(arrival)) break;
    take(arrival);
    ++taken;
  }
  return {.taken = taken, .pending = end_turn()};
}

IceLiteServer::Impl::Arrival IceLiteServer::Impl::arrival_of(MutableBytes datagram,
                                                             const dtls::UdpPath& path,
                                                             Instant now) const {
  const std::uint64_t hash = TupleTable::hash_of(keyed_, path);
  return {.datagram = datagram,
          .path = path,
          .hash = hash,
          .tuple = tuples_.find(hash, path),
          .now = now};
}

bool IceLiteServer::Impl::must_wait(const Arrival& arrival) const {
  if (responses_.size() >= kMaxQueuedResponses) return true;
  // A check may be for any session, whichever has the tuple.
  const bool is_for_any = arrival.tuple == kNoSlot ||
                          transport::classify(arrival.datagram) == transport::PacketClass::stun;
  const auto has = [&](Output output) {
    const auto index = static_cast<std::size_t>(output);
    return is_for_any ? !queues_[index].empty()
                      : sessions_[tuples_[arrival.tuple].session].is_queued[index];
  };
  return has(Output::data) || has(Output::media);
}

void IceLiteServer::Impl::take(const Arrival& arrival) {
  ++statistics_.datagrams_received;
  const auto packet_class = transport::classify(arrival.datagram);
  if (packet_class == transport::PacketClass::stun) {
    on_stun(arrival);
  } else if (arrival.tuple != kNoSlot) {
    on_packet(packet_class, arrival);
  } else if (may_be_client_hello(arrival.datagram)) {
    on_early(arrival);
  } else {
    drop(Drop::unknown_tuple);
  }
}

void IceLiteServer::Impl::on_packet(transport::PacketClass packet_class, const Arrival& arrival) {
  const SlotNumber number = tuples_[arrival.tuple].session;
  Session& session = sessions_[number];
  if (packet_class == transport::PacketClass::dtls && !session.is_rtt_settled) {
    measure_rtt(arrival.tuple, arrival.now);
  }
  if (packet_class == transport::PacketClass::dtls && session.in_stun) {
    session.in_stun->on_received(arrival.datagram);
  }
  Tuple& tuple = tuples_[arrival.tuple];
  auto outcome =
      session.transport->handle_datagram(arrival.datagram, tuple.path.number, arrival.now);
  const bool is_heard =
      outcome && (outcome->media || outcome->data) && session.transport->connected();
  if (is_heard && outcome->media) outcome->media = !take_media(number, arrival.datagram);
  // The peer has the keys, so it has our whole handshake.
  if (is_heard && session.in_stun) end_in_stun(number);
  settle(number, outcome);
  if (!is_heard || session.has_ended) return;
  tuple.heard = arrival.now;
  // A peer that has moved sends from there at once, and a replay is not authentic twice.
  const bool has_moved = arrival.tuple != session.selected && tuple.is_nominated &&
                         session.selected != kNoSlot &&
                         tuple.checks.generation >= tuples_[session.selected].checks.generation;
  if (has_moved) select(arrival.tuple, arrival.now);
}

bool IceLiteServer::Impl::take_media(SlotNumber number, Bytes datagram) {
  const auto media = sessions_[number].transport->poll_media();
  if (!media) return false;
  media_.push(
      {.session = sessions_.handle_of(number), .kind = media->kind, .packet = media->packet});
  // Early media comes first, from memory of the transport.
  return media->packet.data() == datagram.data();
}

void IceLiteServer::Impl::on_early(const Arrival& arrival) {
  EarlyDatagrams::Gone gone;
  switch (early_.keep(keyed_, arrival.hash, arrival.path, arrival.datagram, arrival.now, gone)) {
    case EarlyDatagrams::Kept::yes:
      ++statistics_.early_kept;
      break;
    case EarlyDatagrams::Kept::full:
      drop(Drop::early_full);
      break;
    case EarlyDatagrams::Kept::large:
      drop(Drop::early_large);
      break;
  }
  drop(Drop::early_displaced, gone.displaced);
  drop(Drop::early_expired, gone.expired);
}

// A peer sends its ClientHello when it has the response to a check (RFC 8842 section 5.5), so the
// time since the first response is a round trip or more.
void IceLiteServer::Impl::measure_rtt(SlotNumber tuple, Instant now) {
  Session& session = sessions_[tuples_[tuple].session];
  session.is_rtt_settled = true;
  const bool begins =
      session.transport->waiting_for() == transport::TransportWaitingFor::client_hello;
  if (!begins || session.rtt) return;
  session.rtt = dtls::saturating_difference(now, tuples_[tuple].added);
  if (tuple != session.selected) return;
  settle(tuples_[tuple].session,
         session.transport->path_selected(tuples_[tuple].path.number, session.rtt, now));
}

}  // namespace sluice::ice_lite
