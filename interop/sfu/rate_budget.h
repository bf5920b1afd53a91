// So much a second.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>

#include <sluice/dtls/clock.h>

namespace sluice::interop::sfu {

// What was not used is kept for a period.
class RateBudget {
 public:
  // `most`: that can be taken in a period, and at once. False, and nothing is taken: less is left.
  bool take(std::size_t cost, std::size_t most, dtls::Instant now,
            dtls::Duration period = std::chrono::seconds{1}) {
    // More at once than there ever is.
    if (cost > most) return false;
    const auto time = dtls::Duration{period.count() * static_cast<dtls::Duration::rep>(cost) /
                                     static_cast<dtls::Duration::rep>(most)};
    const dtls::Instant next = std::max(spent_until_, now) + time;
    if (next - now > period) return false;
    spent_until_ = next;
    return true;
  }

 private:
  // What was taken would have lasted until then at an even rate.
  dtls::Instant spent_until_{};
};

}  // namespace sluice::interop::sfu
