#include "sfu/forwarding/layer.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace sluice::interop::sfu {

Layer::Layer(const PublisherPeer& publisher, const PublishedTrack& agreed, std::string rid,
             const TrackOptions& options)
    : publisher_(&publisher),
      format_(agreed.format),
      has_nack_(agreed.has_nack),
      rid_(std::move(rid)),
      reception_({.clock_rate = format_->clock_rate}),
      clock_(format_->clock_rate),
      key_frames_(options.key_frame_interval),
      cache_(format_->kind == SectionKind::video ? options.video_cache : options.audio_cache) {}

// ---- from the publisher

void Layer::expect(rtp::Ssrc source) {
  source_ = source;
  reception_ = rtp::Reception({.clock_rate = format_->clock_rate});
  clock_ = SourceClock(format_->clock_rate);
  missing_.reset();
}

void Layer::on_rtp(const rtp::Packet& packet, rtp::Bytes bytes, dtls::Instant now) {
  if (source_ != packet.ssrc) expect(packet.ssrc);
  reception_.on_packet(packet.sequence_number, packet.timestamp, media_time(now));
  missing_.on_packet(packet.sequence_number, now);
  // Padding alone probes the publisher's path, and is not forwarded.
  if (!packet.payload.empty()) rate_.add(bytes.size(), now);
  bytes_ += packet.payload.size();
  burst_.push_back(packet);
  burst_bytes_.push_back(bytes);
}

void Layer::send_burst(MediaPort& port, std::span<const rtp::Packet> packets,
                       std::span<const ice_lite::Forward> receivers, dtls::Instant now) {
  ice_lite::forward(port.server, packets, receivers, now, port.outlet, port.counters.forwarded);
}

void Layer::forward(MediaPort& port, dtls::Instant now) {
  send_burst(port, burst_, receivers_, now);
  on_key_frame(port, now);
  for (std::size_t i = 0; i < burst_.size(); ++i)
    cache_.add(burst_bytes_[i], burst_[i].sequence_number);
  burst_.clear();
  burst_bytes_.clear();
  ask_for_missing(port, now);
}

// Who waits for a key frame gets the layer from there on. Another layer must not go on behind it,
// since a stream that gets packets of two sources takes each for a new beginning.
void Layer::on_key_frame(MediaPort& port, dtls::Instant now) {
  const auto key_frame = std::ranges::find_if(burst_, [this](const rtp::Packet& packet) {
    return packet.ssrc == source_ && format_->begins_key_frame(packet.payload);
  });
  if (key_frame == burst_.end()) return;
  const int behind = missing_.behind(key_frame->sequence_number);
  if (behind - (burst_.end() - key_frame - 1) > kMostBehind) return;
  key_frames_.on_key_frame();
  const std::size_t admitted = receivers_.size();
  for (Subscription* subscription : std::exchange(waiting_, {})) show(*subscription);
  if (receivers_.size() == admitted) return;
  // Its first packet may have come behind others: it was overtaken, or lost and asked for again.
  std::vector<rtp::Packet> packets = {*key_frame};
  for (int i = 1; i <= behind; ++i) {
    const auto packet = cache_.find(key_frame->ssrc, key_frame->sequence_number + i);
    if (packet) packets.push_back(*packet);
  }
  std::ranges::copy_if(burst_, std::back_inserter(packets), [&](const rtp::Packet& packet) {
    return packet.ssrc == key_frame->ssrc &&
           rtp::distance(key_frame->sequence_number, packet.sequence_number) > 0;
  });
  send_burst(port, packets, std::span(receivers_).subspan(admitted), now);
}

void Layer::on_sender_report(const rtp::SenderReport& report, dtls::Instant now) {
  reception_.on_sender_report(report, media_time(now));
  clock_.on_sender_report(report, media_time(now));
}

std::optional<rtp::ReportBlock> Layer::report_block(dtls::Instant now) {
  if (!source_ || reception_.received() == 0) return std::nullopt;
  return reception_.report_block(*source_, media_time(now));
}

void Layer::handle_timeout(MediaPort& port, dtls::Instant now) {
  // The request or its key frame may be lost.
  const bool is_needed = key_frames_.is_waiting() || !waiting_.empty();
  if (source_ && is_needed && key_frames_.need(now)) ask_for_key_frame(port);
  ask_for_missing(port, now);
}

// ---- to the publisher

// RFC 4585 section 6.3.1.
void Layer::ask_for_key_frame(MediaPort& port) {
  const rtp::PictureLossIndication request{.sender = publisher_->own_ssrc, .media = *source_};
  if (publisher_->tell(port.counters, request)) ++port.counters.key_frames_asked;
}

void Layer::ask_for_missing(MediaPort& port, dtls::Instant now) {
  if (!has_nack_) return;
  const auto entries = missing_.due(now);
  if (entries.empty()) return;
  const rtp::GenericNack nack{
      .sender = publisher_->own_ssrc, .media = *source_, .entries = std::span(entries)};
  if (publisher_->tell(port.counters, nack)) ++port.counters.nacks_sent;
}

// ---- for viewers

void Layer::show(Subscription& subscription) {
  leave(subscription);
  go_on_showing(subscription);
  subscription.receiver.stream->end_source();
}

void Layer::go_on_showing(Subscription& subscription) {
  receivers_.push_back(subscription.receiver);
  subscription.shown = this;
}

void Layer::show_next(Subscription& subscription, MediaPort& port, dtls::Instant now) {
  if (subscription.next != nullptr) std::erase(subscription.next->waiting_, &subscription);
  subscription.next = nullptr;
  if (subscription.shown == this) return;
  subscription.next = this;
  waiting_.push_back(&subscription);
  need_key_frame(port, now);
}

void Layer::leave(Subscription& subscription) {
  if (subscription.shown != nullptr) {
    std::erase_if(subscription.shown->receivers_, [&](const ice_lite::Forward& receiver) {
      return receiver.stream == subscription.receiver.stream;
    });
  }
  if (subscription.next != nullptr) std::erase(subscription.next->waiting_, &subscription);
  subscription.shown = subscription.next = nullptr;
}

void Layer::need_key_frame(MediaPort& port, dtls::Instant now) {
  if (format_->kind == SectionKind::video) ++port.counters.key_frames_needed;
  pass_on_need(port, now);
}

void Layer::pass_on_need(MediaPort& port, dtls::Instant now) {
  if (format_->kind != SectionKind::video) return;
  // Before the first packet there is nothing to ask for: a source begins with a key frame.
  if (source_ && key_frames_.need(now)) ask_for_key_frame(port);
}

}  // namespace sluice::interop::sfu
