// Connections of peers that are silent: how long they last, and to whom they give way.
#include <algorithm>

#include "endpoint/impl.h"

namespace sluice::dtls {
namespace {

// Times::heard is set this seldom, so that a connection in use is not moved to the end of the list
// for every datagram.
constexpr Duration kSilenceStep = std::chrono::seconds{1};

}  // namespace

void Endpoint::Impl::on_record_of(SlotNumber number) {
  Slot& slot = slots_[number];
  const bool is_listed = slot.is_connected && slot.connection->role() == Role::server;
  if (!is_listed || now_ - slot.times.heard < kSilenceStep) return;
  slot.times.heard = now_;
  silent_.erase(slots_, number);
  silent_.push(slots_, number);
}

std::optional<Instant> Endpoint::Impl::idle_deadline() const {
  if (options_.idle_limit == Duration::zero() || silent_.empty()) return std::nullopt;
  // A later record may have come within the step.
  const Duration limit = options_.idle_limit + kSilenceStep;
  return std::min(slots_[silent_.first()].times.heard, Instant::max() - limit) + limit;
}

Endpoint::Impl::SlotNumber Endpoint::Impl::find_displaceable(Instant now) const {
  if (!options_.displace_silent_after || silent_.empty()) return kNoSlot;
  const SlotNumber first = silent_.first();
  return now - slots_[first].times.heard >= *options_.displace_silent_after ? first : kNoSlot;
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
