// A store whose requests a thread of its own carries out, in batches.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "queued_store.h"
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

class WorkerStore final : public QueuedStore {
 public:
  WorkerStore(const StoreOptions& options, std::unique_ptr<Backend> backend);
  ~WorkerStore() override;

 private:
  Accepted submit(Request request) override;
  void run();

  std::unique_ptr<Backend> backend_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Request> requests_;
  bool stops_ = false;
  std::thread thread_;
};

}  // namespace sluice::session_stores
