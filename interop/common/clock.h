// The clock of the demo and the tools.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

#include <sluice/dtls/clock.h>
#include <sluice/udp/clock.h>

namespace sluice::interop::common {

using udp::now;

// Microseconds since 1970: the clock that two processes share, also over a reboot.
inline std::int64_t system_time() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}
// Since a system_time() of another process; 0 where the clock was set back.
inline dtls::Duration since(std::int64_t then) {
  return dtls::Duration{std::max<std::int64_t>(system_time() - then, 0)};
}

// The earlier of two times, either of which may be missing.
inline std::optional<dtls::Instant> earlier(std::optional<dtls::Instant> a,
                                            std::optional<dtls::Instant> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

}  // namespace sluice::interop::common
