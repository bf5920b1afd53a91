// The clock of the demo and the tools.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

#include <sluice/dtls/clock.h>

namespace sluice::interop::common {

// The steady clock, in microseconds. Thread-safe.
inline dtls::Instant now() {
  return dtls::Instant{std::chrono::duration_cast<dtls::Duration>(
      std::chrono::steady_clock::now().time_since_epoch())};
}

// The earlier of two times, either of which may be missing.
inline std::optional<dtls::Instant> earlier(std::optional<dtls::Instant> a,
                                            std::optional<dtls::Instant> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

}  // namespace sluice::interop::common
