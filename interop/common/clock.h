// The one clock of the demo.
#pragma once

#include <chrono>

#include <sluice/dtls/clock.h>

namespace sluice::interop::common {

// Any thread.
inline dtls::Instant now() {
  return dtls::Instant{std::chrono::duration_cast<dtls::Duration>(
      std::chrono::steady_clock::now().time_since_epoch())};
}

}  // namespace sluice::interop::common
