// Connections of peers that are silent: how long they last, and to whom they give way.
#include <algorithm>

#include "endpoint/impl.h"

namespace sluice::dtls {
namespace {

// Slot::since is set this seldom, so that a connection in use is not moved to the end of the list
// for every datagram.
constexpr Duration kSilenceStep = std::chrono::seconds{1};

}  // namespace

void Endpoint::Impl::on_record_of(SlotNumber number) {
  Slot& slot = slots_[number];
  const bool is_listed = slot.is_connected && slot.connection->role() == Role::server;
  if (!is_listed || now_ - slot.since < kSilenceStep) return;
  slot.since = now_;
  silence_list(slot).erase(slots_, number);
  silence_list(slot).push(slots_, number);
}

endpoint::SlotList& Endpoint::Impl::silence_list(const Slot& slot) {
  const bool is_ageing = options_.age_after != Duration::zero() || options_.max_live != 0;
  return is_ageing && !slot.connection->own_connection_ids().empty() ? ageable_ : silent_;
}

Endpoint::Impl::SlotNumber Endpoint::Impl::longest_silent() const {
  const SlotNumber one = silent_.first();
  const SlotNumber other = ageable_.first();
  if (one == kNoSlot || other == kNoSlot) return one == kNoSlot ? other : one;
  return slots_[one].since <= slots_[other].since ? one : other;
}

Instant Endpoint::Impl::end_of_silence(Instant heard, Duration limit) {
  // A later record may have come within the step.
  limit += kSilenceStep;
  return std::min(heard, Instant::max() - limit) + limit;
}

std::optional<Instant> Endpoint::Impl::idle_deadline() const {
  const SlotNumber longest = longest_silent();
  if (options_.idle_limit == Duration::zero() || longest == kNoSlot) return std::nullopt;
  return end_of_silence(slots_[longest].since, options_.idle_limit);
}

Endpoint::Impl::SlotNumber Endpoint::Impl::find_displaceable(Instant now) const {
  const SlotNumber first = longest_silent();
  if (!options_.displace_silent_after || first == kNoSlot) return kNoSlot;
  return now - slots_[first].since >= *options_.displace_silent_after ? first : kNoSlot;
}

void Endpoint::Impl::dismiss(SlotNumber number, EndReason reason, Instant now) {
  static_cast<void>(slots_[number].connection->close(now));
  end(number, reason);
}

void Endpoint::Impl::make_room_for(SlotNumber newcomer, Instant now) {
  const SlotNumber silent = find_displaceable(now);
  if (silent != kNoSlot && silent != newcomer) {
    return dismiss(silent, EndReason::displaced_silent, now);
  }
  ++statistics_.refused[static_cast<std::size_t>(Refusal::too_many_connections)];
  dismiss(newcomer, EndReason::displaced, now);
}

}  // namespace sluice::dtls
