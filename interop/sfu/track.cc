#include "sfu/track.h"

#include <algorithm>
#include <utility>

#include <sluice/rtp/extension.h>

namespace sluice::interop::sfu {

Track::Track(ice_lite::SessionHandle publisher, PublishedTrack agreed, rtp::Ssrc own_ssrc,
             const TrackOptions& options)
    : publisher_(publisher),
      agreed_(std::move(agreed)),
      own_ssrc_(own_ssrc),
      reception_({.clock_rate = format().clock_rate}),
      clock_(format().clock_rate),
      key_frames_(options.key_frame_interval),
      cache_(format().kind == SectionKind::video ? options.video_cache : options.audio_cache) {}

void Track::begin_source(rtp::Ssrc source) {
  source_ = source;
  reception_ = rtp::Reception({.clock_rate = format().clock_rate});
  clock_ = SourceClock(format().clock_rate);
}

bool Track::on_rtp(rtp::Packet packet, rtp::MutableBytes bytes, dtls::Instant now) {
  if (!agreed_.payload_types.at(rtp::number(packet.payload_type)) ||
      !rtp::replace_extension_ids(bytes, agreed_.extension_ids)) {
    return false;
  }
  if (source_ != packet.ssrc) begin_source(packet.ssrc);
  reception_.on_packet(packet.sequence_number, packet.timestamp, media_time(now));
  bytes_ += packet.payload.size();
  packet.payload_type = format().payload_type;
  rtp::set_payload_type(bytes, packet.payload_type);
  burst_.push_back(packet);
  burst_bytes_.emplace_back(bytes);
  return true;
}

void Track::forward(MediaPort& port, dtls::Instant now) {
  ice_lite::forward(port.server, std::span<const rtp::Packet>(burst_),
                    std::span<const ice_lite::Forward>(receivers_), now, port.outlet,
                    port.counters.forwarded);
  for (std::size_t i = 0; i < burst_.size(); ++i) cache_.add(burst_bytes_[i], burst_[i]);
  burst_.clear();
  burst_bytes_.clear();
}

void Track::on_sender_report(const rtp::SenderReport& report, dtls::Instant now) {
  reception_.on_sender_report(report, media_time(now));
  clock_.on_sender_report(report, media_time(now));
}

std::optional<rtp::ReportBlock> Track::report_block(dtls::Instant now) {
  if (!source_) return std::nullopt;
  return reception_.report_block(*source_, media_time(now));
}

void Track::remove(const rtp::ForwardedStream& stream) {
  std::erase_if(receivers_, [&](const auto& receiver) { return receiver.stream == &stream; });
}

void Track::need_key_frame(MediaPort& port, dtls::Instant now) {
  if (format().kind != SectionKind::video) return;
  ++port.counters.key_frames_needed;
  // Before the first packet there is nothing to ask for: a source begins with a key frame.
  if (source_ && key_frames_.need(now)) ask_for_key_frame(port);
}

void Track::handle_timeout(MediaPort& port, dtls::Instant now) {
  if (source_ && key_frames_.handle_timeout(now)) ask_for_key_frame(port);
}

// RFC 4585 section 6.3.1. A compound begins with a report (RFC 3550 section 6.1).
void Track::ask_for_key_frame(MediaPort& port) {
  const auto sent = port.send_rtcp(publisher_, [&](rtp::CompoundWriter& writer) {
    (void)writer.add(rtp::ReceiverReport{.sender = own_ssrc_});
    (void)writer.add(rtp::PictureLossIndication{.sender = own_ssrc_, .media = *source_});
  });
  if (sent > 0) ++port.counters.key_frames_asked;
}

void Track::repeat(MediaPort& port, const ice_lite::Forward& receiver, rtp::SequenceNumber number,
                   dtls::Instant now) {
  const auto origin = receiver.stream->origin_of(number);
  const auto packet = origin ? cache_.find(origin->source, origin->number) : std::nullopt;
  if (!packet) {
    ++port.counters.not_cached;
    return;
  }
  const auto before = port.counters.forwarded.packets;
  ice_lite::forward_again(port.server, number, *packet, receiver, now, port.outlet,
                          port.counters.forwarded);
  port.counters.repeated += port.counters.forwarded.packets - before;
}

}  // namespace sluice::interop::sfu
