// The engine's clock: the caller passes the time in with each input.
#pragma once

#include <chrono>

namespace sluice::dtls {

// Microseconds since a start that the caller chooses. The engine reads no clock, so there is no
// now(): each input carries the time at which it happened. The times given to one connection must
// not go backwards.
struct EngineClock {
  // NOLINTBEGIN(readability-identifier-naming): the standard names them so.
  using duration = std::chrono::microseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<EngineClock>;
  static constexpr bool is_steady = true;
  // NOLINTEND(readability-identifier-naming)
  static time_point now() = delete;
};

using Instant = EngineClock::time_point;
using Duration = EngineClock::duration;

// `time + duration`; the end of the range where the sum would overflow.
constexpr Instant saturating_add(Instant time, Duration duration) {
  if (duration > Duration::zero()) {
    return time > Instant::max() - duration ? Instant::max() : time + duration;
  }
  return time < Instant::min() - duration ? Instant::min() : time + duration;
}
// `to - from`; the end of the range where the difference would overflow.
constexpr Duration saturating_difference(Instant to, Instant from) {
  const Duration since = from.time_since_epoch();
  if (since > Duration::zero()) {
    return to < Instant::min() + since ? Duration::min() : to - from;
  }
  return to > Instant::max() + since ? Duration::max() : to - from;
}

}  // namespace sluice::dtls
