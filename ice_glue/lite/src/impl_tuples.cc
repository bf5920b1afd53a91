// The tuples of sessions: which are admitted, which is used, and when they end.
#include <algorithm>
#include <utility>

#include "impl.h"

namespace sluice::ice_lite {

SlotNumber IceLiteServer::Impl::admit(const Check& check, const Arrival& arrival) {
  const SlotNumber number = arrival.tuple;
  if (number != kNoSlot && tuples_[number].session == check.session) return number;
  if (number != kNoSlot) {
    if (!take_tuple(number, check.session, arrival.now)) {
      drop(Drop::tuple_in_use);
      return kNoSlot;
    }
  } else if (const auto full = is_full(arrival.path.peer)) {
    drop(*full);
    return kNoSlot;
  }
  if (sessions_[check.session].tuples == options_.max_tuples_per_session) {
    displace_tuple(check.session, arrival.now);
  }
  return add_tuple(check.session, arrival);
}

std::optional<Drop> IceLiteServer::Impl::is_full(const dtls::UdpEndpoint& peer) const {
  if (tuples_.size() >= options_.max_tuples) return Drop::too_many_tuples;
  const bool is_host_full =
      options_.max_tuples_per_host != 0 && hosts_.of(keyed_, peer) >= options_.max_tuples_per_host;
  return is_host_full ? std::optional(Drop::too_many_of_host) : std::nullopt;
}

SlotNumber IceLiteServer::Impl::add_tuple(SlotNumber number, const Arrival& arrival) {
  Session& session = sessions_[number];
  const SlotNumber added = tuples_.add(keyed_, arrival.hash, arrival.path);
  hosts_.add(keyed_, arrival.path.peer);
  Tuple& tuple = tuples_[added];
  tuple.session = number;
  tuple.added = arrival.now;
  tuple.next = std::exchange(session.first_tuple, added);
  ++session.tuples;
  ++statistics_.tuples_added;
  return added;
}

void IceLiteServer::Impl::remove_tuple(SlotNumber number) {
  const Tuple& tuple = tuples_[number];
  Session& session = sessions_[tuple.session];
  SlotNumber* link = &session.first_tuple;
  while (*link != number) link = &tuples_[*link].next;
  *link = tuple.next;
  --session.tuples;
  if (session.selected == number) session.selected = kNoSlot;
  session.transport->path_removed(tuple.path.number);
  hosts_.remove(keyed_, tuple.path.peer);
  tuples_.remove(keyed_, number);
}

bool IceLiteServer::Impl::take_tuple(SlotNumber number, SlotNumber by, Instant now) {
  const Tuple& tuple = tuples_[number];
  const SlotNumber former = tuple.session;
  Session& session = sessions_[former];
  const bool is_in_use = !session.has_ended && options_.tuple_hold > dtls::Duration::zero() &&
                         dtls::saturating_difference(now, tuple.heard) < options_.tuple_hold;
  if (is_in_use) return false;
  const bool was_selected = session.selected == number;
  const dtls::UdpPath path = tuples_.path_of(number);
  const Instant checked = tuple.checked;
  if (!session.has_ended) {
    session.to_tell().taken = PathTaken{path, sessions_.handle_of(by)};
    queue(Output::event, former);
  }
  remove_tuple(number);
  ++statistics_.tuples_taken;
  if (was_selected) replace_lost(former, path, checked, now);
  return true;
}

void IceLiteServer::Impl::displace_tuple(SlotNumber number, Instant now) {
  const Session& session = sessions_[number];
  SlotNumber longest = kNoSlot;
  for (SlotNumber each = session.first_tuple; each != kNoSlot; each = tuples_[each].next) {
    // The one in use goes only where it is the only one.
    if (each == session.selected && session.tuples > 1) continue;
    if (longest == kNoSlot || tuples_[each].checked <= tuples_[longest].checked) {
      longest = each;
    }
  }
  const bool was_selected = longest == session.selected;
  const dtls::UdpPath path = tuples_.path_of(longest);
  const Instant checked = tuples_[longest].checked;
  remove_tuple(longest);
  ++statistics_.tuples_displaced;
  if (was_selected) replace_lost(number, path, checked, now);
}

void IceLiteServer::Impl::validate(SlotNumber number, Instant now) {
  Tuple& tuple = tuples_[number];
  Session& session = sessions_[tuple.session];
  if (!is_usable(session, tuple) || tuple.told == session.least_generation) return;
  tuple.told = session.least_generation;
  settle(tuple.session, session.transport->path_validated(tuple.path.number, now));
}

void IceLiteServer::Impl::nominate(SlotNumber number, const Check& check, Instant now) {
  const stun::Message& request = check.message;
  if (!request.use_candidate && !request.nomination) return;
  Tuple& tuple = tuples_[number];
  const Session& session = sessions_[check.session];
  // After checks with newer credentials, those with the old ones nominate nothing.
  const bool is_old = check.credentials.generation < tuple.checks.generation;
  if (is_old || !is_usable(session, tuple)) return;
  tuple.is_nominated = true;
  tuple.checks.nomination = std::max(tuple.checks.nomination, request.nomination.value_or(0));
  if (session.selected == kNoSlot || session.selected == number) return select(number, now);
  const Tuple& selected = tuples_[session.selected];
  const bool is_quiet = dtls::saturating_difference(now, selected.heard) >= kQuiet;
  if (takes_over(tuple.checks, selected.checks, is_quiet)) select(number, now);
}

void IceLiteServer::Impl::select(SlotNumber number, Instant now) {
  const Tuple& tuple = tuples_[number];
  const SlotNumber owner = tuple.session;
  Session& session = sessions_[owner];
  if (session.newer && tuple.checks.generation == session.newer->generation) {
    sessions_.end_restart(keyed_, owner);
    session.has_ended_restart = true;
  } else if (session.selected == number) {
    return;
  }
  session.selected = number;
  session.lost.reset();
  // It has come back before that was told.
  if (session.untold) session.untold->expired.reset();
  session.is_selection_untold = true;
  ++statistics_.selections;
  queue(Output::event, owner);
  settle(owner, session.transport->path_selected(tuple.path.number, session.rtt, now));
}

SlotNumber IceLiteServer::Impl::best_tuple(const Session& session) const {
  SlotNumber best = kNoSlot;
  for (SlotNumber each = session.first_tuple; each != kNoSlot; each = tuples_[each].next) {
    const Tuple& tuple = tuples_[each];
    if (!tuple.is_nominated || !is_usable(session, tuple)) continue;
    if (best == kNoSlot || takes_over(tuple.checks, tuples_[best].checks, false)) {
      best = each;
    }
  }
  return best;
}

bool IceLiteServer::Impl::select_another(SlotNumber number, Instant now) {
  if (sessions_[number].has_ended) return false;
  const SlotNumber best = best_tuple(sessions_[number]);
  if (best != kNoSlot) select(best, now);
  return best != kNoSlot;
}

void IceLiteServer::Impl::replace_lost(SlotNumber number, const dtls::UdpPath& path,
                                       Instant checked, Instant now) {
  Session& session = sessions_[number];
  if (session.has_ended || select_another(number, now)) return;
  session.lose(path, checked);
  set_timer(number);
}

void IceLiteServer::Impl::expire_tuples(SlotNumber number, Instant now) {
  Session& session = sessions_[number];
  session.tuples_due.reset();
  std::optional<dtls::UdpPath> lost;
  SlotNumber next = kNoSlot;
  for (SlotNumber each = session.first_tuple; each != kNoSlot; each = next) {
    next = tuples_[each].next;
    if (consent_end(tuples_[each].checked) > now) {
      session.expect_consent_end(tuples_[each].checked);
      continue;
    }
    if (each == session.selected) lost = tuples_.path_of(each);
    remove_tuple(each);
    ++statistics_.tuples_expired;
  }
  if (session.lost && consent_end(session.lost->checked) <= now) {
    lost = std::exchange(session.lost, nullptr)->path;
  } else if (session.lost) {
    session.expect_consent_end(session.lost->checked);
  }
  if (!lost || select_another(number, now)) return;
  ++statistics_.expired;
  session.to_tell().expired = Expired{*lost};
  queue(Output::event, number);
}

Pending IceLiteServer::Impl::path_closed(const dtls::UdpPath& path, Instant now) {
  begin_turn(now);
  const SlotNumber tuple = tuples_.find(TupleTable::hash_of(keyed_, path), path);
  if (tuple == kNoSlot) return end_turn();
  const SlotNumber owner = tuples_[tuple].session;
  const bool was_selected = sessions_[owner].selected == tuple;
  const Instant checked = tuples_[tuple].checked;
  remove_tuple(tuple);
  ++statistics_.tuples_closed;
  if (was_selected) replace_lost(owner, path, checked, now);
  return end_turn();
}

void IceLiteServer::Impl::deliver_early(SlotNumber number, const Arrival& arrival) {
  const SlotNumber owner = tuples_[number].session;
  for (auto& datagram : early_.take(keyed_, arrival.hash, arrival.path, arrival.now)) {
    Session& session = sessions_[owner];
    // It has come before the response that would tell a round trip.
    session.is_rtt_settled = true;
    if (session.has_ended || tuples_[number].told == 0) {
      drop(Drop::early_undeliverable);
      continue;
    }
    ++statistics_.early_delivered;
    settle(owner,
           session.transport->handle_datagram(datagram, tuples_[number].path.number, arrival.now));
  }
}

std::optional<dtls::UdpPath> IceLiteServer::Impl::path_of(
    const transport::MediaTransport& of) const {
  const auto id = of.path();
  const SlotNumber number = id ? tuples_.find(*id) : kNoSlot;
  if (number == kNoSlot) return std::nullopt;
  return tuples_.path_of(number);
}

}  // namespace sluice::ice_lite
