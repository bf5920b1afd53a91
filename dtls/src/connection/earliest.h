// The earliest of several timers.
#pragma once

#include <initializer_list>
#include <optional>

#include <sluice/dtls/clock.h>

namespace sluice::dtls::connection {

// Empty when none is running.
inline std::optional<Instant> earliest(std::initializer_list<std::optional<Instant>> timers) {
  std::optional<Instant> next;
  for (const auto& timer : timers) {
    if (timer && (!next || *timer < *next)) next = timer;
  }
  return next;
}

}  // namespace sluice::dtls::connection
