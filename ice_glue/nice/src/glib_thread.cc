#include <sluice/nice/glib_thread.h>

#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "glib_handles.h"
#include "wake_source.h"

namespace sluice::nice {

class GlibThread::Impl {
 public:
  Impl()
      : context_(g_main_context_new()),
        loop_(g_main_loop_new(context_.get(), FALSE)),
        inbox_(context_.get(), [this] { run_posted(); }),
        thread_([this] { run(); }) {
    std::promise<void> running;
    auto is_running = running.get_future();
    post([&running] { running.set_value(); });
    is_running.wait();
  }

  ~Impl() {
    // Posted last, so that all that was posted before runs first.
    post([this] { g_main_loop_quit(loop_.get()); });
    thread_.join();
  }

  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void post(std::function<void()> work) {
    {
      const std::lock_guard lock(mutex_);
      posted_.push_back(std::move(work));
    }
    inbox_.wake();
  }

  [[nodiscard]] bool on_thread() const { return std::this_thread::get_id() == thread_.get_id(); }
  [[nodiscard]] GMainContext* context() const { return context_.get(); }

 private:
  void run() {
    // Name resolution by GIO answers in the thread's default context.
    g_main_context_push_thread_default(context_.get());
    g_main_loop_run(loop_.get());
    g_main_context_pop_thread_default(context_.get());
  }

  void run_posted() {
    std::deque<std::function<void()>> work;
    {
      const std::lock_guard lock(mutex_);
      work.swap(posted_);
    }
    for (auto& item : work) item();
  }

  MainContextHandle context_;
  MainLoopHandle loop_;
  std::mutex mutex_;
  std::deque<std::function<void()>> posted_;
  WakeSource inbox_;
  std::thread thread_;  // last: it uses all the others
};

GlibThread::GlibThread() : impl_(std::make_unique<Impl>()) {}
GlibThread::~GlibThread() = default;

void GlibThread::post(std::function<void()> work) { impl_->post(std::move(work)); }
bool GlibThread::on_thread() const { return impl_->on_thread(); }
_GMainContext* GlibThread::context() const { return impl_->context(); }

}  // namespace sluice::nice
