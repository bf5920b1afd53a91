// A store whose requests a thread of its own carries out, in batches.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "completions.h"
#include "request.h"

namespace sluice::session_stores {

// A database. Used by the worker's thread alone.
class Backend {
 public:
  Backend() = default;
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;
  virtual ~Backend() = default;

  // Carries out all requests in their order, and completes each.
  virtual void process(std::vector<Request>& requests, Completions& completions) = 0;
};

class WorkerStore final : public LiveSessionStore {
 public:
  WorkerStore(const StoreOptions& options, std::unique_ptr<Backend> backend);
  ~WorkerStore() override;

  std::optional<Completion> poll() override { return completions_.poll(); }
  [[nodiscard]] int wait_handle() const override { return completions_.wait_handle(); }
  bool wait(std::chrono::milliseconds limit) override { return completions_.wait(limit); }
  [[nodiscard]] std::size_t pending() const override { return completions_.pending(); }

 private:
  Accepted submit(Request request) override;
  void run();

  Completions completions_;
  std::unique_ptr<Backend> backend_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Request> requests_;
  bool stops_ = false;
  std::thread thread_;
};

}  // namespace sluice::session_stores
