// Sessions that move: exports and restores.
#include <algorithm>
#include <span>
#include <utility>

#include "impl.h"
#include "live_session.h"
#include "refusal.h"

namespace sluice::ice_lite {
namespace {

dtls::Duration age_of(Instant time, Instant now) {
  return std::max(dtls::saturating_difference(now, time), dtls::Duration::zero());
}

LiveCredentials live_form(const LocalCredentials& credentials) {
  return {.ufrag = credentials.ufrag,
          .pwd = credentials.pwd.bytes(),
          .remote_ufrag = credentials.remote_ufrag,
          .generation = credentials.generation};
}

Credentials plain(const LiveCredentials& credentials) {
  const auto* pwd = reinterpret_cast<const char*>(credentials.pwd.data());
  return {.ufrag = std::string(credentials.ufrag), .pwd = std::string(pwd, credentials.pwd.size())};
}

}  // namespace

// ---- exports

std::optional<transport::ExportBlocked> IceLiteServer::Impl::export_blocked(
    SessionHandle handle) const {
  const SlotNumber number = sessions_.find(handle);
  if (number == kNoSlot) return transport::ExportBlocked::not_connected;
  const Session& session = sessions_[number];
  const auto reason = session.transport->export_blocked();
  if (reason == transport::ExportBlocked::not_connected) return reason;
  // Also what the transport does not know of: events of ICE.
  const bool is_queued = std::ranges::any_of(session.is_queued, [](bool is) { return is; });
  return is_queued || !media_.empty() ? transport::ExportBlocked::outputs_pending : reason;
}

dtls::Result<SessionState> IceLiteServer::Impl::export_session(SessionHandle handle, Instant now) {
  const SlotNumber number = sessions_.find(handle);
  if (number == kNoSlot) return tl::unexpected(refusal(dtls::Errc::closed));
  if (const auto reason = export_blocked(handle)) {
    return tl::unexpected(refusal(dtls::Errc::export_blocked, to_string(*reason)));
  }
  Session& session = sessions_[number];
  LiveSession state{.credentials = live_form(*session.credentials),
                    .least_generation = session.least_generation,
                    .is_rtt_settled = session.is_rtt_settled,
                    .rtt = session.rtt,
                    .recent = session.recent.parts()};
  if (session.newer) state.newer = live_form(*session.newer);
  if (session.lost) {
    state.lost = LiveLostPath{session.lost->path, age_of(session.lost->checked, now)};
  }
  std::vector<transport::PathNumber> paths;
  for (SlotNumber each = session.first_tuple; each != kNoSlot; each = tuples_[each].next) {
    const Tuple& tuple = tuples_[each];
    const auto place = static_cast<std::uint32_t>(state.tuples.size());
    if (each == session.selected) state.selected = place;
    paths.push_back({.before = tuple.path.number, .now = dtls::PathId{place}});
    state.tuples.push_back({.path = tuples_.path_of(each),
                            .checks = tuple.checks,
                            .since_check = age_of(tuple.checked, now),
                            .since_added = age_of(tuple.added, now),
                            .since_heard = age_of(tuple.heard, now),
                            .is_nominated = tuple.is_nominated,
                            .is_told = tuple.told == session.least_generation});
  }
  if (session.in_stun) session.transport->set_path_mtu(session.in_stun->mtu());
  const auto moved = std::move(*session.transport).export_session();
  if (!moved) return dtls::forward_error(moved);
  const auto transport = moved->with_paths(paths);
  if (!transport) return dtls::forward_error(transport);
  state.transport = transport->bytes();
  SessionState exported(state.encode());
  sessions_.end(keyed_, number);
  release(number);
  ++statistics_.sessions_exported;
  return exported;
}

ExportedSessions IceLiteServer::Impl::export_sessions(Instant now) {
  ExportedSessions exported;
  for (SlotNumber number = 0; number < sessions_.limit(); ++number) {
    if (!sessions_[number].transport || sessions_[number].has_ended) continue;
    const SessionHandle handle = sessions_.handle_of(number);
    auto state = export_session(handle, now);
    if (state) {
      exported.moved.push_back({.session = handle, .state = *std::move(state)});
    } else {
      exported.stayed.push_back({.session = handle, .error = state.error()});
    }
  }
  return exported;
}

// ---- restores

dtls::Result<SessionHandle> IceLiteServer::Impl::restore(const SessionState& state,
                                                         const RestoreOptions& options,
                                                         Instant now) {
  begin_turn(now);
  const auto live = LiveSession::decode(state.bytes());
  if (!live) return dtls::forward_error(live);
  if (const auto room = has_room(*live, options); !room) return dtls::forward_error(room);
  auto credentials = restore_credentials(live->credentials);
  if (!credentials) return dtls::forward_error(credentials);
  std::optional<LocalCredentials> newer;
  if (live->newer) {
    auto made = restore_credentials(*live->newer);
    if (!made) return dtls::forward_error(made);
    newer.emplace(*std::move(made));
  }
  const auto added = claim_paths(live->tuples);
  if (!added) return dtls::forward_error(added);
  auto transport = restore_transport(*live, *added, options, now);
  if (!transport) {
    give_back_paths(*added);
    return dtls::forward_error(transport);
  }
  const SlotNumber number = sessions_.add(keyed_, *std::move(transport), *std::move(credentials));
  Session& session = sessions_[number];
  session.newest_generation = live->newest_generation();
  if (newer) sessions_.begin_restart(keyed_, number, *std::move(newer));
  session.least_generation = live->least_generation;
  session.is_rtt_settled = live->is_rtt_settled;
  session.rtt = live->rtt;
  for (const std::uint32_t part : live->recent) session.recent.add_part(part);
  restore_tuples(number, *live, *added, dtls::saturating_add(now, -options.away));
  tell_paths(number, now);
  // What the transport sends again, if anything.
  for (const Output each : {Output::transmit, Output::event}) queue(each, number);
  set_timer(number);
  ++statistics_.sessions_restored;
  return sessions_.handle_of(number);
}

// Nothing new to the transport, unless the state was altered and it lacks a path of its own.
void IceLiteServer::Impl::tell_paths(SlotNumber number, Instant now) {
  Session& session = sessions_[number];
  for (SlotNumber each = session.first_tuple; each != kNoSlot; each = tuples_[each].next) {
    if (tuples_[each].told != session.least_generation) continue;
    settle(number, session.transport->path_validated(tuples_[each].path.number, now));
  }
  if (session.selected == kNoSlot) return;
  const auto selected = tuples_[session.selected].path.number;
  settle(number, session.transport->path_selected(selected, session.rtt, now));
}

dtls::Result<void> IceLiteServer::Impl::has_room(const LiveSession& live,
                                                 const RestoreOptions& options) const {
  if (options.away < dtls::Duration::zero()) {
    return tl::unexpected(refusal(dtls::Errc::invalid_argument, "away"));
  }
  if (auto fits = may_add(options.transport); !fits) return fits;
  if (live.tuples.size() > options_.max_tuples_per_session) {
    return tl::unexpected(
        refusal(dtls::Errc::session_refused, "max_tuples_per_session: fewer than in the state"));
  }
  return {};
}

dtls::Result<LocalCredentials> IceLiteServer::Impl::restore_credentials(
    const LiveCredentials& live) {
  return make_credentials(plain(live), std::string(live.remote_ufrag), live.generation);
}

dtls::Result<std::vector<SlotNumber>> IceLiteServer::Impl::claim_paths(
    std::span<const LiveTuple> tuples) {
  std::vector<SlotNumber> added;
  added.reserve(tuples.size());
  for (const LiveTuple& tuple : tuples) {
    const std::uint64_t hash = TupleTable::hash_of(keyed_, tuple.path);
    std::optional<dtls::Error> error;
    if (tuples_.find(hash, tuple.path) != kNoSlot) {
      error = refusal(dtls::Errc::invalid_argument, "a path that another session has");
    } else if (const auto full = is_full(tuple.path.peer)) {
      error = refusal(dtls::Errc::too_many_connections,
                      *full == Drop::too_many_tuples ? "max_tuples" : "max_tuples_per_host");
    }
    if (error) {
      give_back_paths(added);
      return tl::unexpected(*std::move(error));
    }
    added.push_back(tuples_.add(keyed_, hash, tuple.path));
    hosts_.add(keyed_, tuple.path.peer);
  }
  return added;
}

void IceLiteServer::Impl::give_back_paths(std::span<const SlotNumber> added) {
  for (const SlotNumber number : added) {
    hosts_.remove(keyed_, tuples_[number].path.peer);
    tuples_.remove(keyed_, number);
  }
}

dtls::Result<transport::MediaTransport> IceLiteServer::Impl::restore_transport(
    const LiveSession& live, std::span<const SlotNumber> added, const RestoreOptions& options,
    Instant now) {
  std::vector<transport::PathNumber> paths;
  for (std::uint32_t i = 0; i < added.size(); ++i) {
    if (!live.tuples[i].is_told) continue;
    paths.push_back({.before = dtls::PathId{i}, .now = tuples_[added[i]].path.number});
  }
  return transport::TransportState::parse(live.transport)
      .and_then([&](const transport::TransportState& state) { return state.with_paths(paths); })
      .and_then([&](transport::TransportState state) {
        return transport::MediaTransport::restore(options.transport, *environment_,
                                                  std::move(state), now);
      });
}

void IceLiteServer::Impl::restore_tuples(SlotNumber number, const LiveSession& live,
                                         std::span<const SlotNumber> added, Instant exported) {
  Session& session = sessions_[number];
  // Each is put in front of the list.
  for (std::size_t i = added.size(); i-- > 0;) {
    const LiveTuple& from = live.tuples[i];
    Tuple& tuple = tuples_[added[i]];
    tuple.session = number;
    tuple.next = std::exchange(session.first_tuple, added[i]);
    tuple.checks = from.checks;
    tuple.checked = dtls::saturating_add(exported, -from.since_check);
    tuple.added = dtls::saturating_add(exported, -from.since_added);
    tuple.heard = dtls::saturating_add(exported, -from.since_heard);
    tuple.is_remote_known = false;
    tuple.told = from.is_told ? session.least_generation : 0;
    tuple.is_nominated = from.is_nominated;
    ++session.tuples;
    session.expect_consent_end(tuple.checked);
  }
  if (live.selected) session.selected = added[*live.selected];
  if (!live.lost) return;
  session.lose(live.lost->path, dtls::saturating_add(exported, -live.lost->since_check));
}

}  // namespace sluice::ice_lite
