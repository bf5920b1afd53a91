// A session that publishes: its tracks, and the reports about them.
#pragma once

#include <optional>
#include <vector>

#include <sluice/ice_lite/session.h>
#include <sluice/rtp/report_timer.h>

#include "sfu/track.h"

namespace sluice::interop::sfu {

class Publisher {
 public:
  Publisher(ice_lite::SessionHandle session, std::vector<PublishedTrack> agreed, rtp::Ssrc own_ssrc,
            const TrackOptions& options, dtls::Instant now);

  // The track that has the packet in its burst now; null: it was dropped, and counted.
  Track* on_rtp(rtp::MutableBytes bytes, Counters& counters, dtls::Instant now);
  void on_rtcp(rtp::Bytes compound, Counters& counters, dtls::Instant now);
  // Sends the reports and requests that are due.
  void handle_timeout(MediaPort& port, dtls::Instant now);

  // Their addresses stay.
  [[nodiscard]] std::vector<Track>& tracks() { return tracks_; }
  [[nodiscard]] const std::vector<Track>& tracks() const { return tracks_; }
  // When the last packet came; at first when the session was made.
  [[nodiscard]] dtls::Instant heard_at() const { return heard_at_; }

 private:
  Track* track_of(const rtp::Packet& packet);
  void send_report(MediaPort& port, dtls::Instant now);

  ice_lite::SessionHandle session_;
  rtp::Ssrc own_ssrc_;
  std::vector<Track> tracks_;  // one or two
  rtp::ReportTimer timer_;
  dtls::Instant heard_at_;
};

}  // namespace sluice::interop::sfu
