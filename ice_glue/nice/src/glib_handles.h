// Owning pointers to objects of GLib and libnice.
#pragma once

#include <glib-object.h>
#include <nice/agent.h>

#include <memory>

namespace sluice::nice {

template <auto Release>
struct ReleaseWith {
  template <class T>
  void operator()(T* thing) const {
    Release(thing);
  }
};

using MainContextHandle = std::unique_ptr<GMainContext, ReleaseWith<g_main_context_unref>>;
using MainLoopHandle = std::unique_ptr<GMainLoop, ReleaseWith<g_main_loop_unref>>;
using AgentHandle = std::unique_ptr<NiceAgent, ReleaseWith<g_object_unref>>;
using CandidateHandle = std::unique_ptr<NiceCandidate, ReleaseWith<nice_candidate_free>>;
using TextHandle = std::unique_ptr<gchar, ReleaseWith<g_free>>;
using ErrorHandle = std::unique_ptr<GError, ReleaseWith<g_error_free>>;

}  // namespace sluice::nice
