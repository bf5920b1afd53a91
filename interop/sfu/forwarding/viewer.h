// A session that watches: its seats and streams, and their feedback.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include <sluice/ice_lite/forward.h>
#include <sluice/rtp/forwarded_stream.h>
#include <sluice/rtp/report_timer.h>
#include <sluice/rtp/rtcp.h>

#include "sfu/forwarding/layer_choice.h"
#include "sfu/forwarding/media_port.h"
#include "sfu/forwarding/publisher.h"
#include "sfu/rate_budget.h"
#include "sfu/signalling/negotiation.h"

namespace sluice::interop::sfu {

// How many packets a viewer can have sent again in a second: more than that is no repair.
inline constexpr std::size_t kMaxRepeats = 512;

struct MovedViewer;
struct ShownLayer;

// One stream of a viewer. Sequence numbers and timestamps go on whichever track it gets.
struct ViewerStream {
  ViewedStream agreed;
  rtp::ForwardedStream stream;  // with forward_options()
  Track* track = nullptr;       // null: none
  Subscription subscription = {};
  std::string asked_rid = {};  // of the layer that the viewer has asked for; empty: none
  LayerChoice choice = {};
  // What the viewer has told of it last.
  std::uint8_t fraction_lost = 0;  // of 256
  std::optional<rtp::Duration> round_trip = {};

  // The one of the publisher that it can show; null: there is none.
  [[nodiscard]] Track* track_of(Publisher& publisher) const;
};

// They have the text of `agreed`.
rtp::ForwardOptions forward_options(const ViewedStream& agreed);

// The error is a sentence for the client.
tl::expected<std::vector<ViewerStream>, std::string> make_streams(
    const std::vector<ViewedStream>& agreed);

// A viewer has as many seats as its offer has sections of a kind. Each is for one publisher.
class Viewer {
 public:
  Viewer(ice_lite::SessionHandle session, std::vector<ViewerStream> streams, dtls::Instant now);
  Viewer(const Viewer&) = delete;
  Viewer& operator=(const Viewer&) = delete;
  ~Viewer() = default;

  // It sees this publisher and no other one: for this node of the cluster, before it is in a room.
  void bind(const Publisher& publisher, std::string node) {
    bound_ = &publisher;
    node_ = std::move(node);
  }
  [[nodiscard]] bool is_bound() const { return bound_.has_value(); }
  // Its publisher has left.
  [[nodiscard]] bool has_lost_publisher() const { return bound_ == nullptr; }
  [[nodiscard]] bool is_bound_to(const Publisher& publisher) const { return bound_ == &publisher; }

  // The URL of the node; empty: it is for none.
  [[nodiscard]] const std::string& node() const { return node_; }

  // Media can be sent from now on.
  void connect(MediaPort& port, dtls::Instant now);

  // Whether a seat could show something of it.
  [[nodiscard]] bool can_watch(Publisher& publisher) const;
  // The publisher takes the first free seat where the viewer can decode something of it, unless it
  // has one already.
  void seat(Publisher& publisher, MediaPort& port, dtls::Instant now);
  void leave(Publisher& publisher);

  // Asks for a layer of what the section `mid` shows, and of what it will show. An empty `mid`
  // means all video sections, an empty `rid` the largest layer that fits. False: what is shown has
  // no such layer, or there is no such section of video.
  bool ask_for_layer(std::string_view mid, const std::string& rid);

  void on_rtcp(rtp::Bytes compound, MediaPort& port, dtls::Instant now);
  // Chooses layers, and sends the reports that are due.
  void handle_timeout(MediaPort& port, dtls::Instant now);

  // What a viewer goes on from in another process (moved_media.h). Its streams end here.
  MovedViewer move_out(const std::function<std::optional<std::size_t>(const Publisher&)>& place_of,
                       dtls::Instant now);
  // A viewer with the streams of `moved`, that is connected and in no room yet.
  void restore(const MovedViewer& moved, const std::function<Publisher*(std::size_t)>& publisher_in,
               dtls::Instant now);
  [[nodiscard]] ice_lite::SessionHandle session() const { return session_; }
  [[nodiscard]] const std::vector<ViewerStream>& streams() const { return streams_; }

 private:
  ViewerStream* stream_of(rtp::Ssrc ssrc);
  void start(ViewerStream& stream, MediaPort& port, dtls::Instant now);
  void show_again(ViewerStream& stream, const ShownLayer& shown, dtls::Instant now);
  void choose_layers(MediaPort& port, dtls::Instant now);
  void repeat(ViewerStream& stream, rtp::SequenceNumber number, MediaPort& port, dtls::Instant now);
  void on_picture_loss(rtp::Ssrc media, MediaPort& port, dtls::Instant now);
  void on_blocks(const rtp::ItemList<rtp::ReportBlock>& blocks, MediaPort& port, dtls::Instant now);
  void send_report(ViewerStream& stream, MediaPort& port, dtls::Instant now);

  ice_lite::SessionHandle session_;
  std::vector<ViewerStream> streams_;
  std::vector<Publisher*> seats_;  // null: free
  // The only one that it sees; empty: it sees any, null: that one has left.
  std::optional<const Publisher*> bound_ = {};
  std::string node_;
  rtp::SequenceNumber next_transport_number_{};
  rtp::ReportTimer timer_;
  bool is_connected_ = false;
  RateBudget repeats_ = {};
};

}  // namespace sluice::interop::sfu
