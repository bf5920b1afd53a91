#include "common/stop_signals.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace sluice::interop::common {
namespace {

int block_and_open() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

}  // namespace

StopSignals::StopSignals() : descriptor_(block_and_open()) {}
StopSignals::~StopSignals() { close(descriptor_); }

void StopSignals::wait() const {
  pollfd waited{.fd = descriptor_, .events = POLLIN, .revents = 0};
  while (poll(&waited, 1, -1) < 0 && errno == EINTR) {
  }
}

}  // namespace sluice::interop::common
