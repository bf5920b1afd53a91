// The clock of the demo and the tools.
#pragma once

#include <chrono>

#include <sluice/dtls/clock.h>

namespace sluice::interop::common {

// The steady clock, in microseconds. Thread-safe.
inline dtls::Instant now() {
  return dtls::Instant{std::chrono::duration_cast<dtls::Duration>(
      std::chrono::steady_clock::now().time_since_epoch())};
}

}  // namespace sluice::interop::common
