#include "sfu/restart/hand_over.h"

#include <poll.h>

#include <array>
#include <cerrno>

#include "common/next_process.h"

namespace sluice::interop::sfu {
namespace {

// Until the next process is ready.
constexpr int kStartLimitMs = 10'000;

pollfd watched(int descriptor) { return {.fd = descriptor, .events = POLLIN, .revents = 0}; }

}  // namespace

Ending HandOver::wait(std::span<const int> sockets) const {
  while (true) {
    std::array both{watched(stop_.descriptor()), watched(replace_.descriptor())};
    if (poll(both.data(), both.size(), -1) < 0) continue;
    if (both[0].revents != 0) {
      const bool moves = options_.has_state_file && !common::StopSignals::has_come(SIGINT);
      return moves ? Ending::moved : Ending::stopped;
    }
    replace_.take();
    if (replace(sockets)) return Ending::replaced;
  }
}

void HandOver::fail(const std::string& why) const {
  if (!options_.log) return;
  options_.log({.level = LogLevel::error, .event = "not_replaced", .fields = {{"reason", why}}});
}

bool HandOver::replace(std::span<const int> sockets) const {
  if (!options_.has_state_file) {
    fail("SIGUSR2 needs --state");
    return false;
  }
  auto next = common::NextProcess::start(options_.arguments, sockets);
  if (!next) {
    fail("the next process can't be started: " + next.error());
    return false;
  }
  std::array both{watched(stop_.descriptor()), watched(next->descriptor())};
  if (poll(both.data(), both.size(), kStartLimitMs) <= 0) {
    fail("the next process is not ready in time");
    return false;
  }
  if (both[1].revents == 0) return false;  // a signal to stop: the next one ends, too
  if (const auto ready = next->is_ready(); !ready) {
    fail("the next process: " + ready.error());
    return false;
  }
  if (options_.log) {
    options_.log({.event = "replaced", .fields = {{"process", std::to_string(next->id())}}});
  }
  next->release();
  return true;
}

}  // namespace sluice::interop::sfu
