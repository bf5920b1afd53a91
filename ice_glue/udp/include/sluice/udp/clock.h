// A clock for the inputs of Sluice, which have none of their own.
#pragma once

#include <chrono>

#include <sluice/dtls/clock.h>

namespace sluice::udp {

// Microseconds since 1970, by a clock that never goes backwards: the time of day at the first call,
// and from there on the steady clock. So times in sessions and keys that are kept mean the same to
// the next process, and to another machine. Thread-safe.
inline dtls::Instant now() {
  using std::chrono::steady_clock;
  using std::chrono::system_clock;
  static const auto kStartOfSteadyClock =
      system_clock::now().time_since_epoch() - steady_clock::now().time_since_epoch();
  return dtls::Instant{std::chrono::duration_cast<dtls::Duration>(
      steady_clock::now().time_since_epoch() + kStartOfSteadyClock)};
}

}  // namespace sluice::udp
