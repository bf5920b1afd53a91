#include "previous_association.h"

namespace sluice::transport {

void PreviousAssociation::on_newest_connected(bool at_both_ends, Instant now) {
  if (!sends()) return;
  if (at_both_ends) {
    change_over(now);
  } else {
    state_ = Serving{saturating_add(now, times_.hold)};
  }
}

void PreviousAssociation::on_newest_used(Instant now) {
  if (sends()) change_over(now);
}

void PreviousAssociation::handle_timeout(Instant now) {
  if (leaving()) return;
  if (const auto* serving = std::get_if<Serving>(&state_)) {
    if (serving->until && now >= *serving->until) change_over(now);
  } else if (now >= std::get<Lingering>(state_).until) {
    leave(now);
    return;
  }
  // Errors of the old connection are ignored: its SRTP keys remain valid.
  static_cast<void>(association_.connection().handle_timeout(now));
}

void PreviousAssociation::leave(Instant now) {
  association_.end_media();
  static_cast<void>(association_.connection().close(now));
  state_ = Leaving{};
}

std::optional<Instant> PreviousAssociation::next_timeout() const {
  if (leaving()) return std::nullopt;
  auto next = association_.connection().next_timeout();
  const auto consider = [&next](std::optional<Instant> other) {
    if (other && (!next || *other < *next)) next = other;
  };
  if (const auto* serving = std::get_if<Serving>(&state_)) {
    consider(serving->until);
  } else {
    consider(std::get<Lingering>(state_).until);
  }
  return next;
}

}  // namespace sluice::transport
