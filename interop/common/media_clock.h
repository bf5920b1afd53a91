// The time of RTP packets.
#pragma once

#include <sluice/dtls/clock.h>
#include <sluice/rtp/clock.h>

namespace sluice::interop::common {

// The media classes have the time of the engine.
constexpr rtp::Instant media_time(dtls::Instant time) {
  return rtp::Instant(time.time_since_epoch());
}

}  // namespace sluice::interop::common
