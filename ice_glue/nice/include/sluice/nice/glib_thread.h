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
// post() and call() may be used from any thread. Everything else that lives on the thread (its
// transports, their Environment) is used only by the work that they run.
class GlibThread {
 public:
  // Starts the thread; returns when its loop runs. Throws std::system_error when the system can't
  // give a thread, as std::thread does.
  GlibThread();
  // Runs what has been posted, then ends the thread and waits for it. Its transports must be gone
  // by then. Not to be called on the thread itself.
  ~GlibThread();
  GlibThread(const GlibThread&) = delete;
  GlibThread& operator=(const GlibThread&) = delete;

  // Runs `work` on the thread, in the order of posting. Called on the thread itself, it returns
  // before the work runs. `work` must not throw. The queue has no bound: post no faster than the
  // thread works.
  void post(std::function<void()> work);

  // Runs `work` on the thread, waits and gives its result; called on the thread, it just runs it.
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
