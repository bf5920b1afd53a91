// Time as libssl sees it.
#pragma once

#include <sluice/dtls/clock.h>

#include <optional>

namespace sluice::bench {

// From now on gettimeofday(), which libssl's timers ask, tells this time, in this whole program;
// empty: the real one again.
void set_virtual_time(std::optional<dtls::Instant> now);

}  // namespace sluice::bench
