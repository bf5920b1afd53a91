// The ICE agents of a session across restarts.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/connection.h>
#include <sluice/nice/ice_options.h>
#include <sluice/nice/ice_state.h>

#include "ice_agent.h"

namespace sluice::nice {

// A generation is an agent with sockets and credentials of its own; every ICE restart begins one.
// Each generation is one path to MediaTransport (ice_agent.h says why). The previous generation
// carries the session until the newest can: there are at most two.
class IceGenerations {
 public:
  // Called on the context's thread, all but the last also from within methods of IceGenerations.
  // Only on_datagram() may destroy it or begin another generation.
  class Handler {
   public:
    virtual void on_local_candidate(std::string line) = 0;  // of the newest generation
    virtual void on_local_candidates_done() = 0;
    virtual void on_ice_state(IceState state) = 0;
    // `rtt` bounds the round trip, if it is known.
    virtual void on_path_selected(dtls::PathId path, CandidatePair pair,
                                  std::optional<dtls::Duration> rtt) = 0;
    virtual void on_path_lost(dtls::PathId path) = 0;
    virtual void on_datagram(dtls::PathId path, dtls::MutableBytes datagram) = 0;

   protected:
    ~Handler() = default;
  };

  // `options` have been checked.
  IceGenerations(GMainContext* context, IceOptions options, Handler& handler);
  ~IceGenerations();
  IceGenerations(const IceGenerations&) = delete;
  IceGenerations& operator=(const IceGenerations&) = delete;

  // Begins a generation, the first or a restart, and gathers. Errors: gathering_failed; then all is
  // as it was.
  TransportResult<void> begin();
  [[nodiscard]] bool begun() const { return !generations_.empty(); }

  // ---- the newest generation, once begun

  [[nodiscard]] dtls::PathId path() const;
  [[nodiscard]] bool selected() const;
  [[nodiscard]] IceCredentials local_credentials() const;
  [[nodiscard]] const std::vector<std::string>& local_candidates() const;
  [[nodiscard]] bool gathered() const;
  [[nodiscard]] const std::optional<IceCredentials>& remote_credentials() const;
  // `credentials` have been checked. Starts the checks.
  void set_remote_credentials(const IceCredentials& credentials);
  CandidateStatus add_remote_candidate(std::string_view line);
  void end_of_remote_candidates();

  // ---- all

  IceSend send(dtls::PathId path, dtls::Bytes datagram);
  // The paths that can send. At most two.
  [[nodiscard]] std::vector<dtls::PathId> selected_paths() const;
  // The newest carries all that is sent: the previous one ends after so many microseconds.
  void retire_previous(gint64 linger);

  // Times are g_get_monotonic_time()'s.
  void handle_timeout();
  [[nodiscard]] std::optional<gint64> next_timeout() const;

  [[nodiscard]] IceStatistics statistics() const;

 private:
  class Generation;

  [[nodiscard]] Generation& newest() const { return *generations_.back(); }
  [[nodiscard]] const Generation* sending(const Generation* other = nullptr) const;
  void keep_newest_and(const Generation* kept);
  CandidateStatus try_candidate(std::string_view line);

  GMainContext* context_;
  IceOptions options_;
  Handler& handler_;
  std::vector<std::unique_ptr<Generation>> generations_;  // oldest first
  std::uint32_t begun_ = 0;
  std::optional<gint64> retire_at_;
  IceStatistics totals_;  // only what isn't a generation's own
};

}  // namespace sluice::nice
