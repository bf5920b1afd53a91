#include "sfu/restart/hand_over.h"

#include <poll.h>

#include <array>
#include <cerrno>

#include "common/next_process.h"
#include "common/service_manager.h"

namespace sluice::interop::sfu {
namespace {

// Until the next process is ready.
constexpr int kStartLimitMs = 10'000;

pollfd watched(int descriptor) { return {.fd = descriptor, .events = POLLIN, .revents = 0}; }

}  // namespace

HandOver::HandOver(HandOverOptions options) : options_(std::move(options)) {
  if (options_.takes_hang_up) hang_up_.emplace(SIGHUP);
}

Ending HandOver::wait(std::span<const int> sockets, const std::function<void()>& reload) const {
  while (true) {
    // poll() passes over a descriptor of -1.
    std::array all{watched(stop_.descriptor()), watched(replace_.descriptor()),
                   watched(hang_up_ ? hang_up_->descriptor() : -1)};
    if (poll(all.data(), all.size(), -1) < 0) continue;
    if (all[0].revents != 0) {
      const bool moves = options_.has_state_file && !common::StopSignals::has_come(SIGINT);
      return moves ? Ending::moved : Ending::stopped;
    }
    if (all[2].revents != 0) {
      hang_up_->take();
      reload();
    }
    if (all[1].revents == 0) continue;
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
  common::tell_service_manager("MAINPID=" + std::to_string(next->id()));
  next->release();
  return true;
}

}  // namespace sluice::interop::sfu
