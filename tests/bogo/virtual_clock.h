// The time that a test lives in: it passes when the runner says so.
#pragma once

#include <sluice/dtls/clock.h>

#include <chrono>

namespace sluice::bogo {

class VirtualClock {
 public:
  [[nodiscard]] dtls::Instant now() const {
    return dtls::Instant(std::chrono::duration_cast<dtls::Duration>(elapsed_));
  }
  void advance(std::chrono::nanoseconds by) { elapsed_ += by; }

 private:
  // Finer than the engine's clock, so that thirds of a timeout add up to it.
  std::chrono::nanoseconds elapsed_{};
};

}  // namespace sluice::bogo
