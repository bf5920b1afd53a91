#include "worker.h"

#include <utility>

namespace sluice::session_stores {

WorkerStore::WorkerStore(const StoreOptions& options, std::unique_ptr<Backend> backend)
    : QueuedStore(options), backend_(std::move(backend)), thread_([this] { run(); }) {}

WorkerStore::~WorkerStore() {
  {
    const std::scoped_lock lock(mutex_);
    stops_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

LiveSessionStore::Accepted WorkerStore::submit(Request request) {
  if (!completions().begin()) return tl::unexpected(StoreError::overloaded);
  {
    const std::scoped_lock lock(mutex_);
    requests_.push_back(std::move(request));
  }
  changed_.notify_one();
  return {};
}

void WorkerStore::run() {
  std::vector<Request> batch;
  while (true) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return stops_ || !requests_.empty(); });
      if (requests_.empty()) return;
      std::swap(batch, requests_);
    }
    backend_->process(batch, completions());
    batch.clear();
  }
}

}  // namespace sluice::session_stores
