// Sessions that sleep elsewhere, and return with a datagram.
#include <algorithm>
#include <utility>

#include "endpoint/impl.h"

namespace sluice::dtls {

void Endpoint::Impl::want(Bytes id, Bytes datagram, const UdpPath& path, Instant now) {
  expire_wanted(now);
  const auto added = wanted_.add(id, datagram, path, now);
  if (added == endpoint::WantedSessions::Added::asked) ++statistics_.wanted;
  if (added == endpoint::WantedSessions::Added::dropped) ++statistics_.wanted_dropped;
}

void Endpoint::Impl::expire_wanted(Instant now) {
  const auto expired = wanted_.expire(now);
  statistics_.wanted_expired += expired.questions;
  statistics_.wanted_dropped += expired.datagrams;
}

Pending Endpoint::Impl::drop_wanted(WantedSession wanted, Instant now) {
  begin_input(now);
  expire_wanted(now);
  statistics_.wanted_dropped += wanted_.deny(wanted);
  return pending();
}

Result<Pending> Endpoint::Impl::restore_wanted(WantedSession wanted, ConfigPtr config,
                                               SessionState&& state,
                                               const std::optional<UdpPath>& path, Instant now) {
  begin_input(now);
  expire_wanted(now);
  const auto number = answer_wanted(wanted, std::move(config), std::move(state), path, now);
  if (number) return pending();
  ++statistics_.wanted_refused;
  // A session that cannot be used now cannot be used soon.
  const bool is_useless = number.error().code == Errc::session_refused;
  statistics_.wanted_dropped += is_useless ? wanted_.deny(wanted) : wanted_.drop(wanted);
  return forward_error(number);
}

Result<Endpoint::Impl::SlotNumber> Endpoint::Impl::answer_wanted(WantedSession wanted,
                                                                 ConfigPtr config,
                                                                 SessionState&& state,
                                                                 const std::optional<UdpPath>& path,
                                                                 Instant now) {
  const auto* question = wanted_.find(wanted);
  if (question == nullptr) return tl::unexpected(Error{Errc::not_wanted});
  const auto ids = state.own_connection_ids();
  if (std::ranges::find(ids, question->id) == ids.end()) {
    return tl::unexpected(
        Error{Errc::session_refused, {}, 0, "state: of another session than the one asked for"});
  }
  const auto at = path ? Result<UdpPath>(*path) : authentic_path(*question, config, state, now);
  if (!at) return forward_error(at);
  Buffer tag(state.tag().begin(), state.tag().end());
  const auto number = enter(std::move(config), std::move(state), *at, now);
  if (!number) return number;
  restored_.insert_or_assign(*number, std::move(tag));
  events_.push(slots_, *number);
  return number;
}

Result<UdpPath> Endpoint::Impl::authentic_path(const endpoint::WantedSessions::Question& question,
                                               const ConfigPtr& config, const SessionState& state,
                                               Instant now) {
  auto copy = SessionState::parse(state.bytes());
  if (!copy) return forward_error(copy);
  // It sends nothing, so no record number is used, and what it opens is opened again.
  auto trial = Connection::restore(config, *environment_, *std::move(copy), kFirstPath, now);
  if (!trial) return forward_error(trial);
  for (const auto& waiting : question.datagrams) {
    copy_.assign(waiting.bytes.begin(), waiting.bytes.end());
    const auto outcome = trial->handle_datagram(copy_, kFirstPath, now);
    if (outcome && outcome->newest_record) return waiting.path;
  }
  return tl::unexpected(Error{Errc::not_wanted, {}, 0, "no waiting datagram is authentic"});
}

bool Endpoint::Impl::deliver_released(Instant now) {
  auto next = wanted_.take_released();
  if (!next) return false;
  const SlotNumber number = ids_.find(id_in(next->bytes).bytes);
  if (number == kNoSlot) {
    ++statistics_.wanted_dropped;
    return false;
  }
  // Its data are valid until the next input.
  woken_ = std::move(next->bytes);
  return deliver(number, woken_, next->path, now);
}

}  // namespace sluice::dtls
