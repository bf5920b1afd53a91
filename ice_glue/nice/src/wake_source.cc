#include "wake_source.h"

#include <utility>

namespace sluice::nice {

// A ready time alone drives it: no file descriptor, nothing to prepare or check.
GSourceFuncs WakeSource::functions = {nullptr, nullptr, &WakeSource::dispatch,
                                      nullptr, nullptr, nullptr};

WakeSource::WakeSource(GMainContext* context, std::function<void()> callback)
    : callback_(std::move(callback)), source_(g_source_new(&functions, sizeof(GSource))) {
  g_source_set_name(source_, "sluice");
  g_source_set_callback(
      source_,
      [](gpointer self) -> gboolean {
        // A copy: the callback may destroy its owner, and with it the function that runs.
        const auto running = static_cast<WakeSource*>(self)->callback_;
        running();
        return G_SOURCE_CONTINUE;
      },
      this, nullptr);
  g_source_attach(source_, context);
}

WakeSource::~WakeSource() {
  g_source_destroy(source_);
  g_source_unref(source_);
}

void WakeSource::set_time(std::optional<gint64> monotonic_us) {
  if (g_source_get_ready_time(source_) == 0) return;
  g_source_set_ready_time(source_, monotonic_us.value_or(-1));
}

void WakeSource::wake() { g_source_set_ready_time(source_, 0); }

gboolean WakeSource::dispatch(GSource* source, GSourceFunc function, gpointer data) {
  // A ready time stays until it is changed: without this the context would spin.
  g_source_set_ready_time(source, -1);
  return function(data);
}

}  // namespace sluice::nice
