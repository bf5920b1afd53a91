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

}  // namespace sluice::dtls
