// A client that publishes what its sources make.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "load/client.h"
#include "load/media_source.h"
#include "load/packet_source.h"
#include "load/recording/recording.h"
#include "load/stream_check.h"

namespace sluice::interop::load {

struct PublishedStream {
  SourceOptions source;
  std::shared_ptr<const Recording> recording = {};  // in its place; null: none
  rtp::Ssrc ssrc{};                                 // as the offer had it
  rtp::PayloadType payload_type{};
};

class Publisher final : public Client {
 public:
  Publisher(MediaSession session, std::vector<PublishedStream> streams)
      : Client(std::move(session)), streams_(std::move(streams)) {}

  // Nothing follows what has been sent.
  void stop() { has_stopped_ = true; }

  // One a stream, once it is connected.
  [[nodiscard]] const std::vector<std::unique_ptr<MediaSource>>& sources() const {
    return sources_;
  }
  [[nodiscard]] SentPackets sent() const;
  // Of all streams, by the last reports of the server.
  [[nodiscard]] std::uint64_t lost_on_the_way() const;
  // By PLI and FIR.
  [[nodiscard]] std::uint64_t key_frames_asked() const { return key_frames_asked_; }
  // That SRTP refused.
  [[nodiscard]] std::uint64_t not_sent() const { return not_sent_; }

 private:
  void on_connected(dtls::Instant now) override;
  void on_rtp(dtls::MutableBytes /*packet*/, dtls::Instant /*now*/) override {}
  void on_rtcp(const rtp::RtcpPacket& packet, dtls::Instant now) override;
  void on_timeout(dtls::Instant now) override;
  [[nodiscard]] std::optional<dtls::Instant> media_timeout() const override;
  void write_report(rtp::CompoundWriter& writer, dtls::Instant now) override;
  void on_key_frame_request(rtp::Ssrc media);
  void on_blocks(const rtp::ItemList<rtp::ReportBlock>& blocks);

  std::vector<PublishedStream> streams_;
  std::vector<std::unique_ptr<MediaSource>> sources_;
  std::map<rtp::Ssrc, std::uint32_t> lost_;  // of our streams, as the server has reported it last
  bool has_stopped_ = false;
  std::uint64_t key_frames_asked_ = 0;
  std::uint64_t not_sent_ = 0;
};

}  // namespace sluice::interop::load
