// The outcomes that a store's caller has not polled yet.
#pragma once

#include <condition_variable>
#include <list>
#include <mutex>
#include <optional>

#include <sluice/session_stores/live_session_store.h>

namespace sluice::session_stores {

// Counts the requests under way, and passes their outcomes to the caller's thread. Thread-safe.
class Completions {
 public:
  explicit Completions(std::size_t max_pending);
  Completions(const Completions&) = delete;
  Completions& operator=(const Completions&) = delete;
  ~Completions();

  // False: there are max_pending requests.
  bool begin();
  void complete(Completion completion);

  std::optional<Completion> poll();
  [[nodiscard]] int wait_handle() const { return event_; }
  bool wait(std::chrono::milliseconds limit);
  [[nodiscard]] std::size_t pending() const;

 private:
  const std::size_t max_pending_;
  const int event_;  // an eventfd: readable while done_ has outcomes
  mutable std::mutex mutex_;
  std::condition_variable any_;
  std::size_t pending_ = 0;
  std::list<Completion> done_;
};

}  // namespace sluice::session_stores
