#include "support/usrsctp_clock.h"

#include <sys/time.h>

#include <atomic>

namespace sluice::test {
namespace {

// From some day on, so that no time is 0. Threads of a test may have associations of their own.
std::atomic<std::int64_t> microseconds{1'000'000'000'000'000};

}  // namespace

void set_usrsctp_time(dtls::Instant now) {
  microseconds = 1'000'000'000'000'000 + now.time_since_epoch().count();
}

}  // namespace sluice::test

extern "C" int gettimeofday(timeval* time, void* /*zone*/) noexcept {
  const std::int64_t now = sluice::test::microseconds;
  time->tv_sec = now / 1'000'000;
  time->tv_usec = now % 1'000'000;
  return 0;
}
