// Sessions that leave the endpoint, also by age, and those that enter it.
#include <algorithm>
#include <utility>

#include "endpoint/impl.h"

namespace sluice::dtls {
namespace {

// After an export that was blocked.
constexpr Duration kAgeAgain = std::chrono::seconds{1};

}  // namespace

// ---- out

Result<SessionState> Endpoint::Impl::export_session(ConnectionHandle handle,
                                                    const ExportOptions& options, Instant now) {
  begin_input(now);
  const SlotNumber number = slots_.find(handle);
  if (number == kNoSlot) return tl::unexpected(Error{Errc::closed});
  auto state = export_slot(number, options);
  if (state) end(number, EndReason::exported);
  return state;
}

Result<SessionState> Endpoint::Impl::export_slot(SlotNumber number, ExportOptions options) {
  if (options.tag.empty()) options.tag = tag_of(number);
  return std::move(*slots_[number].connection).export_session(options);
}

Result<Snapshot> Endpoint::Impl::snapshot(ConnectionHandle handle, SnapshotOptions options) {
  const SlotNumber number = slots_.find(handle);
  if (number == kNoSlot) return tl::unexpected(Error{Errc::closed});
  if (options.tag.empty()) options.tag = tag_of(number);
  return slots_[number].connection->snapshot(options);
}

Bytes Endpoint::Impl::tag_of(SlotNumber number) const {
  const auto tag = tags_.find(number);
  return tag != tags_.end() ? tag->second.bytes() : Bytes{};
}

Result<void> Endpoint::Impl::set_tag(ConnectionHandle handle, Bytes tag) {
  const SlotNumber number = slots_.find(handle);
  if (number == kNoSlot) return tl::unexpected(Error{Errc::closed});
  if (tag.size() > kMaxSessionTag) {
    return tl::unexpected(Error{Errc::invalid_argument, {}, 0, "tag: longer than kMaxSessionTag"});
  }
  keep_tag(number, tag);
  return {};
}

void Endpoint::Impl::keep_tag(SlotNumber number, Bytes tag) {
  if (tag.empty()) {
    tags_.erase(number);
  } else {
    tags_.insert_or_assign(number, Tag(tag));
  }
}

std::optional<Instant> Endpoint::Impl::ageing_deadline() const {
  // It pauses until the caller has polled some of those that wait.
  if (ageable_.empty() || aged_.size() >= options_.max_timers_per_call) return std::nullopt;
  const Instant heard = slots_[ageable_.first()].since;
  if (options_.max_live != 0 && ageable_.size() > options_.max_live) {
    return std::max(heard, age_again_);
  }
  if (options_.age_after == Duration::zero()) return std::nullopt;
  return std::max(end_of_silence(heard, options_.age_after), age_again_);
}

void Endpoint::Impl::age_one(Instant now) {
  const SlotNumber number = ageable_.first();
  auto state = export_slot(number, {});
  if (!state) {
    age_again_ = now + kAgeAgain;
    return;
  }
  ++statistics_.aged;
  aged_.emplace(number, *std::move(state));
  end(number, EndReason::exported);
}

// ---- in

Result<ConnectionHandle> Endpoint::Impl::adopt(ConfigPtr config, SessionState&& state,
                                               const UdpPath& path, Instant now) {
  begin_input(now);
  const auto number = enter(std::move(config), std::move(state), path, now);
  if (!number) return forward_error(number);
  return slots_.handle_of(*number);
}

Result<Endpoint::Impl::SlotNumber> Endpoint::Impl::enter(ConfigPtr config, SessionState&& state,
                                                         const UdpPath& path, Instant now) {
  if (occupied() >= options_.max_connections) {
    return tl::unexpected(Error{Errc::too_many_connections});
  }
  const std::vector<ConnectionId> ids = state.own_connection_ids();
  const auto is_here = [&](const ConnectionId& id) { return ids_.find(id.bytes()) != kNoSlot; };
  if (std::ranges::any_of(ids, is_here)) {
    return tl::unexpected(Error{Errc::connection_id_in_use, {}, 0, "state: the session is here"});
  }
  if (ids.empty() && find(path, hash_of(path)) != kNoSlot) return path_is_in_use();
  if (auto fits = prepare(config->options()); !fits) return forward_error(fits);
  const Buffer tag(state.tag().begin(), state.tag().end());
  auto restored = Connection::restore(std::move(config), *environment_, std::move(state),
                                      kFirstPath, now, &ids_);
  if (!restored) return forward_error(restored);
  const SlotNumber number = place(*std::move(restored), path, now);
  keep_tag(number, tag);
  for (const ConnectionId& id : ids) wanted_.release(id.bytes());
  return number;
}

Endpoint::Impl::SlotNumber Endpoint::Impl::place(Connection connection, const UdpPath& path,
                                                 Instant now) {
  const SlotNumber number = take_slot(path, now);
  Slot& slot = slots_[number];
  slot.connection.emplace(std::move(connection));
  slot.is_connected = true;
  slot.since = now_;
  // The number of its cookie is not known: whatever its peer begins is another association.
  slot.begun = endpoint::Minutes::min();
  ++size_;
  ++statistics_.adopted;
  ids_.enter_all(number);
  enter_index(number);
  if (slot.connection->role() == Role::server) silence_list(slot).push(slots_, number);
  settle(number, Pending{.transmit = true}, EndReason::closed);
  return number;
}

}  // namespace sluice::dtls
