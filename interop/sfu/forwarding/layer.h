// A stream of RTP that a publisher sends, and the streams of the viewers that get it: a whole
// track, or one layer of its simulcast (RFC 8853).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <sluice/ice_lite/forward.h>
#include <sluice/rtp/packet.h>
#include <sluice/rtp/reception.h>
#include <sluice/rtp/rtcp.h>

#include "sfu/forwarding/key_frame_requests.h"
#include "sfu/forwarding/media_format.h"
#include "sfu/forwarding/media_port.h"
#include "sfu/forwarding/missing_packets.h"
#include "sfu/forwarding/packet_cache.h"
#include "sfu/forwarding/rate_meter.h"
#include "sfu/forwarding/rtcp_path.h"
#include "sfu/forwarding/source_clock.h"
#include "sfu/signalling/negotiation.h"

namespace sluice::interop::sfu {

struct TrackOptions {
  // The packets of each video layer that can be sent again, 1 to 32768: each takes 1.5 kB. Viewers
  // of Opus conceal losses, so that few packets of audio will do.
  std::size_t video_cache = 512;
  std::size_t audio_cache = 64;
  dtls::Duration key_frame_interval = std::chrono::milliseconds{500};
};

// Where what the publisher is told goes.
struct PublisherPeer {
  RtcpPath path;
  rtp::Ssrc own_ssrc{};  // of the server's reports to it

  // False: it could not be sent.
  template <class Feedback>
  bool tell(MediaCounters& counters, const Feedback& feedback) const {
    return send_rtcp(path, counters, rtp::ReceiverReport{.sender = own_ssrc}, feedback) > 0;
  }
};

class Layer;
struct MovedLayer;

// What a viewer's stream gets of a track. It outlives its place in a layer.
struct Subscription {
  ice_lite::Forward receiver{};
  Layer* shown = nullptr;  // is forwarded; null: none
  Layer* next = nullptr;   // takes its place at its next key frame; null: none does
};

// A packet passes so: on_rtp() puts it into the burst; forward() sends the burst to each receiver
// and puts it into the cache, from where it can be sent again.
class Layer {
 public:
  // A key frame whose first packet comes so many places late is of no use to those that wait: they
  // would get all of these packets at once.
  static constexpr int kMostBehind = 128;

  // `publisher` outlives it. `rid`: empty if the track has one layer.
  Layer(const PublisherPeer& publisher, const PublishedTrack& agreed, std::string rid,
        const TrackOptions& options);

  // ---- from the publisher

  // The SSRC of its packets, before the first one.
  void expect(rtp::Ssrc source);
  // `packet` is what rtp::read_packet() finds in `bytes`, which stay where they are until
  // forward(). It has the server's payload type and header extension IDs.
  void on_rtp(const rtp::Packet& packet, rtp::Bytes bytes, dtls::Instant now);
  void forward(MediaPort& port, dtls::Instant now);
  void on_sender_report(const rtp::SenderReport& report, dtls::Instant now);
  // For the next report to the publisher. Empty: nothing has come.
  std::optional<rtp::ReportBlock> report_block(dtls::Instant now);
  // Asks for a key frame that has waited for KeyFrameRequests, and for packets that are missing.
  void handle_timeout(MediaPort& port, dtls::Instant now);

  // What forward() will send.
  [[nodiscard]] std::span<const rtp::Bytes> burst() const { return burst_bytes_; }

  // ---- for viewers

  // The subscription gets the layer from the next packet on.
  void show(Subscription& subscription);
  // Likewise, where its stream goes on from packets of this layer.
  void go_on_showing(Subscription& subscription);
  // It gets the layer from the next key frame on, and until then what it has.
  void show_next(Subscription& subscription, MediaPort& port, dtls::Instant now);
  // It gets nothing, of any layer.
  static void leave(Subscription& subscription);
  void need_key_frame(MediaPort& port, dtls::Instant now);
  // Likewise, where the need was counted elsewhere.
  void pass_on_need(MediaPort& port, dtls::Instant now);
  // Empty: the cache has it not, or no longer. The result points into the cache.
  [[nodiscard]] std::optional<rtp::Packet> cached(
      const rtp::ForwardedStream::Origin& origin) const {
    return cache_.find(origin.source, origin.number);
  }
  [[nodiscard]] std::optional<SourceClock::Moment> moment(dtls::Instant now) const {
    return clock_.at(media_time(now));
  }

  // ---- state

  [[nodiscard]] const std::string& rid() const { return rid_; }
  // The publisher's; empty before the first packet, unless it was told by expect().
  [[nodiscard]] std::optional<rtp::Ssrc> source() const { return source_; }
  [[nodiscard]] const rtp::Reception& reception() const { return reception_; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }  // of payload
  [[nodiscard]] const RateMeter& rate() const { return rate_; }
  [[nodiscard]] std::size_t receivers() const { return receivers_.size(); }
  // What a layer of the same track goes on from in another process (moved_media.h).
  [[nodiscard]] MovedLayer state(dtls::Instant now) const;
  // Before the first packet.
  void restore(const MovedLayer& moved, dtls::Instant now);

 private:
  void send_burst(MediaPort& port, std::span<const rtp::Packet> packets,
                  std::span<const ice_lite::Forward> receivers, dtls::Instant now);
  void on_key_frame(MediaPort& port, dtls::Instant now);
  void ask_for_key_frame(MediaPort& port);
  void ask_for_missing(MediaPort& port, dtls::Instant now);

  const PublisherPeer* publisher_;
  const Format* format_;
  bool has_nack_;  // the publisher's
  std::string rid_;
  std::optional<rtp::Ssrc> source_ = {};
  rtp::Reception reception_;
  SourceClock clock_;
  KeyFrameRequests key_frames_;
  MissingPackets missing_;
  PacketCache cache_;
  RateMeter rate_;
  std::uint64_t bytes_ = 0;
  // What has come in this turn: the packets, and the bytes that they point to.
  std::vector<rtp::Packet> burst_;
  std::vector<rtp::Bytes> burst_bytes_;
  std::vector<ice_lite::Forward> receivers_;
  std::vector<Subscription*> waiting_;  // for a key frame
};

}  // namespace sluice::interop::sfu
