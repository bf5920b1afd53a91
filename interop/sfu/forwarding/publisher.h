// What publishes: its tracks, and the reports about them.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sluice/rtp/report_timer.h>
#include <sluice/rtp/transport_feedback.h>

#include "sfu/forwarding/track.h"

namespace sluice::interop::sfu {

struct MovedPublisher;

// The nodes of a cluster know a publisher by it.
struct StreamOrigin {
  std::string id = {};  // of all nodes
  // The nodes that it has come over, by their URLs, the nearest one first. Empty: it publishes
  // here.
  std::vector<std::string> path = {};
};

class Publisher {
 public:
  // `peer`: what publishes.
  Publisher(PublisherPeer peer, std::vector<PublishedTrack> agreed, const TrackOptions& options,
            dtls::Instant now, StreamOrigin origin = {});
  // Goes on from that of another process (moved_media.h).
  Publisher(RtcpPath path, const MovedPublisher& moved, const TrackOptions& options,
            dtls::Instant now);
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;
  ~Publisher() = default;

  // The track that has the packet in its burst now; null: it was dropped, and counted.
  Track* on_rtp(rtp::MutableBytes bytes, MediaCounters& counters, dtls::Instant now);
  void on_rtcp(rtp::Bytes compound, MediaCounters& counters, dtls::Instant now);
  // Sends the reports and requests that are due.
  void handle_timeout(MediaPort& port, dtls::Instant now);

  // Null: none. It outlives its use.
  void set_tap(PublisherTap* tap);

  // With packets of this SSRC. Null: there are none, or their first one has not come.
  std::pair<Track*, Layer*> find(rtp::Ssrc source);
  // Their addresses stay.
  [[nodiscard]] std::vector<Track>& tracks() { return tracks_; }
  [[nodiscard]] const std::vector<Track>& tracks() const { return tracks_; }
  [[nodiscard]] const StreamOrigin& origin() const { return origin_; }
  // When the last packet came; at first when the session was made.
  [[nodiscard]] dtls::Instant heard_at() const { return heard_at_; }
  // What one goes on from in another process.
  [[nodiscard]] MovedPublisher state(dtls::Instant now) const;

 private:
  // By what the packet says beside its SSRC; null: none.
  Track* track_of(const rtp::Packet& packet);
  // Reads the number that transport-wide feedback is about.
  void record_arrival(const rtp::Packet& packet, const PublishedTrack& agreed, dtls::Instant now);
  void send_report(MediaPort& port, dtls::Instant now);
  void send_arrivals(MediaPort& port);

  StreamOrigin origin_;
  PublisherPeer peer_;
  std::vector<Track> tracks_;                          // one or two
  std::optional<rtp::ArrivalRecorder> arrivals_ = {};  // empty: no track has agreed to feedback
  rtp::Ssrc arrived_{};                                // the source of the last one
  rtp::ReportTimer timer_;
  dtls::Instant heard_at_;
  PublisherTap* tap_ = nullptr;
};

}  // namespace sluice::interop::sfu
