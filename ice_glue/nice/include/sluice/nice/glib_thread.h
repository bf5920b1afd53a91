// A thread with a GLib main loop, for hosts that have none of their own.
#pragma once

#include <functional>
#include <future>
#include <memory>
#include <type_traits>

// GLib's GMainContext.
struct _GMainContext;  // NOLINT(bugprone-reserved-identifier,readability-identifier-naming)

namespace sluice::nice {

// Carries any number of NiceTransports: make one GlibThread per core at most, not one per session.
// post() and call() may be used from any thread. Use the objects of the thread (its transports,
// their Environment) only in the work that post() and call() run.
class GlibThread {
 public:
  // Starts the thread; returns when its loop runs. Throws std::system_error as std::thread does
  // when the system cannot create a thread.
  GlibThread();
  // Runs what has been posted, then ends the thread and waits for it. Its transports must be gone
  // by then. Not to be called on the thread itself.
  ~GlibThread();
  GlibThread(const GlibThread&) = delete;
  GlibThread& operator=(const GlibThread&) = delete;

  // Runs `work` on the thread, in the order of posting, and returns without waiting for it, also
  // when called on the thread itself. `work` must not throw. The queue has no bound: post no faster
  // than the thread works.
  void post(std::function<void()> work);

  // Runs `work` on the thread, waits and returns its result. On the thread itself it runs `work`
  // at once.
  template <class Work>
  std::invoke_result_t<Work> call(Work work) {
    if (on_thread()) return work();
    std::packaged_task<std::invoke_result_t<Work>()> task(std::move(work));
    auto result = task.get_future();
    post([&task] { task(); });
    return result.get();
  }

  [[nodiscard]] bool on_thread() const;
  // For NiceTransport::make(). Valid as long as the GlibThread.
  [[nodiscard]] _GMainContext* context() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::nice
