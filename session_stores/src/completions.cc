#include "completions.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <utility>

namespace sluice::session_stores {

Completions::Completions(std::size_t max_pending)
    : max_pending_(max_pending), event_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

Completions::~Completions() {
  if (event_ >= 0) close(event_);
}

bool Completions::begin() {
  const std::scoped_lock lock(mutex_);
  if (pending_ >= max_pending_) return false;
  ++pending_;
  return true;
}

void Completions::complete(Completion completion) {
  {
    const std::scoped_lock lock(mutex_);
    done_.push_back(std::move(completion));
    constexpr std::uint64_t kOne = 1;
    if (done_.size() == 1 && write(event_, &kOne, sizeof kOne) < 0) {
      // A full counter is readable, which is all that it is for.
    }
  }
  any_.notify_one();
}

std::optional<Completion> Completions::poll() {
  const std::scoped_lock lock(mutex_);
  if (done_.empty()) return std::nullopt;
  std::list<Completion> first;
  first.splice(first.begin(), done_, done_.begin());
  --pending_;
  std::uint64_t count = 0;
  if (done_.empty() && read(event_, &count, sizeof count) < 0) {
    // It was not readable already.
  }
  return std::move(first.front());
}

bool Completions::wait(std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  return any_.wait_for(lock, limit, [&] { return !done_.empty() || pending_ == 0; }) &&
         !done_.empty();
}

std::size_t Completions::pending() const {
  const std::scoped_lock lock(mutex_);
  return pending_;
}

}  // namespace sluice::session_stores
