// Limits the error responses to requests that are not authentic.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>

#include <sluice/dtls/clock.h>

namespace sluice::ice_lite {

// So many a second, and so many at once.
class ResponseBudget {
 public:
  explicit ResponseBudget(std::size_t per_second)
      : interval_(per_second == 0 ? kSecond + dtls::Duration{1}
                                  : dtls::Duration{kSecond.count() / at_most(per_second)}) {}

  // Whether there may be one more now.
  bool take(dtls::Instant now) {
    const dtls::Instant next = dtls::saturating_add(std::max(spent_until_, now), interval_);
    if (dtls::saturating_difference(next, now) > kSecond) return false;
    spent_until_ = next;
    return true;
  }

 private:
  static constexpr dtls::Duration kSecond = std::chrono::seconds{1};
  // One in each microsecond.
  static constexpr dtls::Duration::rep at_most(std::size_t per_second) {
    return static_cast<dtls::Duration::rep>(std::min<std::size_t>(per_second, 1'000'000));
  }

  dtls::Duration interval_;
  // The responses so far would have used up the time until then at an even rate.
  dtls::Instant spent_until_ = dtls::Instant::min();
};

}  // namespace sluice::ice_lite
