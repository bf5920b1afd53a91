// A GSource that calls back at a time, or as soon as the context runs.
#pragma once

#include <glib.h>

#include <functional>
#include <optional>

namespace sluice::nice {

// Never calls back from within one of its own methods, only when the context dispatches. The
// callback may destroy the WakeSource. wake() may be called from any thread, the rest from the
// context's own.
class WakeSource {
 public:
  WakeSource(GMainContext* context, std::function<void()> callback);
  ~WakeSource();
  WakeSource(const WakeSource&) = delete;
  WakeSource& operator=(const WakeSource&) = delete;

  // Calls back once at `monotonic_us`, of g_get_monotonic_time(); an earlier setting is replaced,
  // but a wake() that has not been served stays.
  void set_time(std::optional<gint64> monotonic_us);
  // Calls back once in the context's next turn.
  void wake();

 private:
  static gboolean dispatch(GSource* source, GSourceFunc function, gpointer data);
  static GSourceFuncs functions;

  std::function<void()> callback_;
  GSource* source_;
};

}  // namespace sluice::nice
