// The clock of the demo and the tools.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

#include <sluice/dtls/clock.h>

namespace sluice::interop::common {

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

// The earlier of two times, either of which may be missing.
inline std::optional<dtls::Instant> earlier(std::optional<dtls::Instant> a,
                                            std::optional<dtls::Instant> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

}  // namespace sluice::interop::common
