// A GLib context that a test turns by hand.
#pragma once

#include <glib.h>

#include <chrono>
#include <functional>

namespace sluice::test {

class MainContext {
 public:
  MainContext() : context_(g_main_context_new()) {}
  ~MainContext() { g_main_context_unref(context_); }
  MainContext(const MainContext&) = delete;
  MainContext& operator=(const MainContext&) = delete;

  [[nodiscard]] GMainContext* get() const { return context_; }

  // Turns the context until `done`; false when that hasn't come about by the deadline, which only
  // bounds a failure: nothing here measures time.
  bool run_until(const std::function<bool()>& done,
                 std::chrono::seconds deadline = std::chrono::seconds{30}) {
    bool expired = false;
    GSource* timeout = g_timeout_source_new_seconds(static_cast<guint>(deadline.count()));
    g_source_set_callback(
        timeout,
        [](gpointer flag) -> gboolean {
          *static_cast<bool*>(flag) = true;
          return G_SOURCE_REMOVE;
        },
        &expired, nullptr);
    g_source_attach(timeout, context_);
    bool is_done = done();
    while (!is_done && !expired) {
      g_main_context_iteration(context_, TRUE);
      is_done = done();
    }
    g_source_destroy(timeout);
    g_source_unref(timeout);
    return is_done;
  }

  // Lets the context do what it has ready at once.
  void run_ready() {
    while (g_main_context_iteration(context_, FALSE) != FALSE) {
    }
  }

 private:
  GMainContext* context_;
};

}  // namespace sluice::test
