#include "tools/poller.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>

#include "common/clock.h"

namespace sluice::interop::tools {

Poller::Poller() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {}
Poller::~Poller() { close(epoll_); }

void Poller::add(int descriptor) {
  epoll_event event{.events = EPOLLIN, .data = {.fd = descriptor}};
  const int added = epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event);
  // epoll refuses regular files with EPERM.
  if (added != 0 && errno == EPERM) always_.push_back(descriptor);
}

void Poller::remove(int descriptor) {
  if (std::erase(always_, descriptor) == 0) {
    epoll_ctl(epoll_, EPOLL_CTL_DEL, descriptor, nullptr);
  }
  std::erase(ready_, descriptor);
}

void Poller::wait(std::optional<dtls::Instant> until) {
  int milliseconds = -1;
  if (until) {
    // The time may have passed meanwhile.
    const auto left = *until <= common::now() ? dtls::Duration::zero() : *until - common::now();
    const auto most = std::chrono::milliseconds(std::chrono::hours{1});
    milliseconds = static_cast<int>(
        std::clamp(std::chrono::ceil<std::chrono::milliseconds>(left), {}, most).count());
  }
  if (!always_.empty()) milliseconds = 0;
  ready_ = always_;
  std::array<epoll_event, 8> events{};
  const int count =
      epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), milliseconds);
  for (int i = 0; i < count; ++i) ready_.push_back(events[static_cast<std::size_t>(i)].data.fd);
}

bool Poller::is_ready(int descriptor) const {
  return std::ranges::find(ready_, descriptor) != ready_.end();
}

}  // namespace sluice::interop::tools
