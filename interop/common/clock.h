// The clock of the demo and the tools.
#pragma once

#include <algorithm>
#include <optional>

#include <sluice/dtls/clock.h>
#include <sluice/udp/clock.h>

namespace sluice::interop::common {

using udp::now;

// The earlier of two times, either of which may be missing.
inline std::optional<dtls::Instant> earlier(std::optional<dtls::Instant> a,
                                            std::optional<dtls::Instant> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

}  // namespace sluice::interop::common
