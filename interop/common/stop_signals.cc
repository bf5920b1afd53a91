#include "common/stop_signals.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <initializer_list>

namespace sluice::interop::common {
namespace {

int block_and_open(std::initializer_list<int> all) {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : all) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

}  // namespace

StopSignals::StopSignals() : descriptor_(block_and_open({SIGINT, SIGTERM})) {}
StopSignals::~StopSignals() { close(descriptor_); }

void StopSignals::wait() const {
  pollfd waited{.fd = descriptor_, .events = POLLIN, .revents = 0};
  while (poll(&waited, 1, -1) < 0 && errno == EINTR) {
  }
}

bool StopSignals::has_come(int signal) {
  sigset_t pending;
  return sigpending(&pending) == 0 && sigismember(&pending, signal) == 1;
}

RequestSignal::RequestSignal(int signal) : descriptor_(block_and_open({signal})) {}
RequestSignal::~RequestSignal() { close(descriptor_); }

void RequestSignal::take() const {
  signalfd_siginfo what{};
  while (read(descriptor_, &what, sizeof what) == sizeof what) {
  }
}

}  // namespace sluice::interop::common
