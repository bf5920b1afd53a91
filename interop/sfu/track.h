// A track of a publisher, and the streams of the viewers that get it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <sluice/ice_lite/forward.h>
#include <sluice/rtp/packet.h>
#include <sluice/rtp/reception.h>
#include <sluice/rtp/rtcp.h>

#include "sfu/key_frame_requests.h"
#include "sfu/media_port.h"
#include "sfu/negotiation.h"
#include "sfu/packet_cache.h"
#include "sfu/source_clock.h"

namespace sluice::interop::sfu {

struct TrackOptions {
  // The packets of a video track that can be sent again, 1 to 32768: each takes 1.5 kB. Viewers of
  // Opus conceal losses, so that few packets of audio will do.
  std::size_t video_cache = 512;
  std::size_t audio_cache = 64;
  dtls::Duration key_frame_interval = std::chrono::milliseconds{500};
};

// A packet passes so: on_rtp() gives it the server's payload type and header extension IDs and puts
// it into the burst; forward() sends the burst to each receiver and puts it into the cache;
// repeat() sends one of the cache again.
class Track {
 public:
  // `own_ssrc`: that of the server's reports to the publisher.
  Track(ice_lite::SessionHandle publisher, PublishedTrack agreed, rtp::Ssrc own_ssrc,
        const TrackOptions& options);

  // ---- from the publisher

  // `packet` is what rtp::read_packet() finds in `bytes`, which stay where they are until
  // forward(). False: its payload type was not agreed on, or its header extension is malformed.
  bool on_rtp(rtp::Packet packet, rtp::MutableBytes bytes, dtls::Instant now);
  void forward(MediaPort& port, dtls::Instant now);
  [[nodiscard]] bool has_burst() const { return !burst_.empty(); }
  void on_sender_report(const rtp::SenderReport& report, dtls::Instant now);
  // For the next report to the publisher. Empty: nothing has come.
  std::optional<rtp::ReportBlock> report_block(dtls::Instant now);
  // Asks for a key frame that has waited for KeyFrameRequests.
  void handle_timeout(MediaPort& port, dtls::Instant now);

  // ---- for viewers

  // Everything that `receiver` points to outlives its place here.
  void add(const ice_lite::Forward& receiver) { receivers_.push_back(receiver); }
  void remove(const rtp::ForwardedStream& stream);
  void need_key_frame(MediaPort& port, dtls::Instant now);
  // Sends the packet that the receiver had as `number` again.
  void repeat(MediaPort& port, const ice_lite::Forward& receiver, rtp::SequenceNumber number,
              dtls::Instant now);
  [[nodiscard]] std::optional<SourceClock::Moment> moment(dtls::Instant now) const {
    return clock_.at(media_time(now));
  }

  // ---- state

  [[nodiscard]] const PublishedTrack& agreed() const { return agreed_; }
  [[nodiscard]] const Format& format() const { return *agreed_.format; }
  // The publisher's; empty before the first packet.
  [[nodiscard]] std::optional<rtp::Ssrc> source() const { return source_; }
  [[nodiscard]] const rtp::Reception& reception() const { return reception_; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }  // of payload
  [[nodiscard]] std::size_t receivers() const { return receivers_.size(); }

 private:
  void begin_source(rtp::Ssrc source);
  void ask_for_key_frame(MediaPort& port);

  ice_lite::SessionHandle publisher_;
  PublishedTrack agreed_;
  rtp::Ssrc own_ssrc_;
  std::optional<rtp::Ssrc> source_ = {};
  rtp::Reception reception_;
  SourceClock clock_;
  KeyFrameRequests key_frames_;
  PacketCache cache_;
  std::uint64_t bytes_ = 0;
  // What has come in this turn: the packets, and the bytes that they point to.
  std::vector<rtp::Packet> burst_;
  std::vector<rtp::Bytes> burst_bytes_;
  std::vector<ice_lite::Forward> receivers_;
};

}  // namespace sluice::interop::sfu
