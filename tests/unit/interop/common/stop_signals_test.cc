#include "common/stop_signals.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <csignal>

namespace sluice::interop::common {
namespace {

template <class Signals>
bool is_readable(const Signals& signals) {
  pollfd polled{.fd = signals.descriptor(), .events = POLLIN, .revents = 0};
  return poll(&polled, 1, 0) == 1;
}

// The signals stay blocked after the object's end, so one that is pending must be taken.
void take(int signal) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, signal);
  int taken = 0;
  ASSERT_EQ(sigwait(&signals, &taken), 0);
  EXPECT_EQ(taken, signal);
}

TEST(StopSignals, AreReadableFromTheSignalOn) {
  for (const int signal : {SIGINT, SIGTERM}) {
    const StopSignals stop;
    EXPECT_FALSE(is_readable(stop));
    ASSERT_EQ(kill(getpid(), signal), 0);
    stop.wait();
    EXPECT_TRUE(is_readable(stop));
    EXPECT_TRUE(is_readable(stop)) << "waiting and looking don't take the signal";
    EXPECT_EQ(StopSignals::has_come(SIGINT), signal == SIGINT);
    EXPECT_EQ(StopSignals::has_come(SIGTERM), signal == SIGTERM);
    take(signal);
  }
}

TEST(RequestSignal, ComesAgain) {
  const RequestSignal request(SIGUSR2);
  for (int i = 0; i < 2; ++i) {
    EXPECT_FALSE(is_readable(request));
    ASSERT_EQ(kill(getpid(), SIGUSR2), 0);
    EXPECT_TRUE(is_readable(request));
    request.take();
  }
  EXPECT_FALSE(is_readable(request));
  request.take();  // waits for nothing
}

}  // namespace
}  // namespace sluice::interop::common
