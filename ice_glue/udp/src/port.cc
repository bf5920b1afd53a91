#include <sys/epoll.h>
#include <sys/timerfd.h>

#include <sluice/udp/driver.h>

#include <algorithm>
#include <chrono>

#include "failure.h"

namespace sluice::udp::detail {
namespace {

bool watch(const Descriptor& epoll, int descriptor) {
  epoll_event event{.events = EPOLLIN, .data = {.fd = descriptor}};
  return epoll_ctl(epoll.number(), EPOLL_CTL_ADD, descriptor, &event) == 0;
}

dtls::Duration until(dtls::Instant time) {
  const dtls::Instant present = now();
  return time <= present ? dtls::Duration::zero() : time - present;
}

}  // namespace

tl::expected<Port, std::string> Port::open(Socket socket) {
  Port made(std::move(socket));
  made.epoll_ = Descriptor(epoll_create1(EPOLL_CLOEXEC));
  if (!made.epoll_.is_open()) return failure("epoll_create1");
  made.timer_ = Descriptor(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!made.timer_.is_open()) return failure("timerfd_create");
  if (!detail::watch(made.epoll_, made.timer_.number()) ||
      !detail::watch(made.epoll_, made.socket_.descriptor())) {
    return failure("epoll_ctl");
  }
  return made;
}

tl::expected<void, std::string> Port::watch(int descriptor) {
  if (!detail::watch(epoll_, descriptor)) return failure("epoll_ctl");
  return {};
}

tl::expected<void, std::string> Port::change_socket(Socket fresh) {
  if (!detail::watch(epoll_, fresh.descriptor())) return failure("epoll_ctl");
  flush();
  epoll_ctl(epoll_.number(), EPOLL_CTL_DEL, socket_.descriptor(), nullptr);
  // In the middle of a turn the rest of its batch is still to be taken.
  fresh.take_over_buffer(socket_);
  socket_ = std::move(fresh);
  return {};
}

dtls::MutableBytes Port::room(std::size_t size) {
  auto room = batch_.room(size);
  if (!room.empty()) return room;
  flush();
  return batch_.room(size);
}

void Port::flush() {
  if (batch_.empty()) return;
  socket_.send(batch_);
  batch_.clear();
}

void Port::wake_at(std::optional<dtls::Instant> time) {
  if (time == wakes_at_) return;
  wakes_at_ = time;
  itimerspec setting{};  // zero: never
  if (time) {
    // Zero would be never.
    const auto left = std::max<dtls::Duration>(until(*time), std::chrono::microseconds{1});
    const auto seconds = std::chrono::floor<std::chrono::seconds>(left);
    setting.it_value.tv_sec = seconds.count();
    setting.it_value.tv_nsec = std::chrono::nanoseconds(left - seconds).count();
  }
  timerfd_settime(timer_.number(), 0, &setting, nullptr);
}

void Port::wait(std::optional<dtls::Instant> time) const {
  int milliseconds = -1;
  if (time) {
    const auto most = std::chrono::milliseconds(std::chrono::hours{1});
    milliseconds = static_cast<int>(
        std::min(std::chrono::ceil<std::chrono::milliseconds>(until(*time)), most).count());
  }
  epoll_event event{};
  epoll_wait(epoll_.number(), &event, 1, milliseconds);
}

}  // namespace sluice::udp::detail
