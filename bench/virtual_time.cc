#include "virtual_time.h"

#include <sys/time.h>

#include <atomic>
#include <chrono>
#include <ctime>

namespace sluice::bench {
namespace {

// Microseconds; negative: the real time.
std::atomic<std::int64_t> virtual_now{-1};
// Any date will do.
constexpr std::int64_t kStart = 1'000'000'000;

}  // namespace

void set_virtual_time(std::optional<dtls::Instant> now) {
  virtual_now = now ? now->time_since_epoch().count() : -1;
}

}  // namespace sluice::bench

// Takes the place of the C library's, for libssl too: it has no other way to be told the time.
// NOLINTNEXTLINE(misc-definitions-in-headers)
extern "C" int gettimeofday(timeval* __restrict out, void* __restrict /*zone*/) noexcept {
  const std::int64_t now = sluice::bench::virtual_now;
  if (now >= 0) {
    out->tv_sec = sluice::bench::kStart + now / 1'000'000;
    out->tv_usec = now % 1'000'000;
    return 0;
  }
  timespec real{};
  const int result = clock_gettime(CLOCK_REALTIME, &real);
  out->tv_sec = real.tv_sec;
  out->tv_usec = real.tv_nsec / 1000;
  return result;
}
