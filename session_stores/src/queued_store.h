// A store whose outcomes wait in Completions.
#pragma once

#include "completions.h"

namespace sluice::session_stores {

class QueuedStore : public LiveSessionStore {
 public:
  explicit QueuedStore(const StoreOptions& options) : completions_(options.max_pending) {}

  std::optional<Completion> poll() final { return completions_.poll(); }
  [[nodiscard]] int wait_handle() const final { return completions_.wait_handle(); }
  bool wait(std::chrono::milliseconds limit) final { return completions_.wait(limit); }
  [[nodiscard]] std::size_t pending() const final { return completions_.pending(); }

 protected:
  [[nodiscard]] Completions& completions() { return completions_; }

 private:
  Completions completions_;
};

}  // namespace sluice::session_stores
