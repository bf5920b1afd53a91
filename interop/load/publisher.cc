#include "load/publisher.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <span>
#include <variant>

#include "common/clock.h"
#include "common/random_numbers.h"
#include "load/recording/recording_source.h"

namespace sluice::interop::load {

void Publisher::on_connected(dtls::Instant now) {
  for (const PublishedStream& stream : streams_) {
    // Publishers that connect at one time don't all send at one time.
    const auto frame = dtls::Duration(std::chrono::seconds{1}) / stream.source.frames;
    const auto offset = dtls::Duration(common::random_u32() % frame.count());
    const StreamNames names{.ssrc = stream.ssrc,
                            .payload_type = stream.payload_type,
                            .id = SourceId{common::random_u32()}};
    if (stream.recording) {
      sources_.push_back(std::make_unique<RecordingSource>(stream.recording, names, now + offset));
    } else {
      sources_.push_back(std::make_unique<PacketSource>(stream.source, names, now + offset));
    }
  }
}

void Publisher::on_rtcp(const rtp::RtcpPacket& packet, dtls::Instant /*now*/) {
  if (const auto* loss = std::get_if<rtp::PictureLossIndication>(&packet)) {
    on_key_frame_request(loss->media);
  } else if (const auto* request = std::get_if<rtp::FullIntraRequest>(&packet)) {
    for (const auto& entry : request->entries) on_key_frame_request(entry.media);
  } else if (const auto* report = std::get_if<rtp::ReceiverReport>(&packet)) {
    on_blocks(report->blocks);
  } else if (const auto* sender = std::get_if<rtp::SenderReport>(&packet)) {
    on_blocks(sender->blocks);
  }
}

void Publisher::on_blocks(const rtp::ItemList<rtp::ReportBlock>& blocks) {
  for (const rtp::ReportBlock& block : blocks) {
    if (std::ranges::find(streams_, block.ssrc, &PublishedStream::ssrc) == streams_.end()) continue;
    lost_[block.ssrc] = static_cast<std::uint32_t>(std::max(block.packets_lost, 0));
  }
}

void Publisher::on_key_frame_request(rtp::Ssrc media) {
  for (const auto& source : sources_) {
    if (source->ssrc() != media) continue;
    source->need_key_frame();
    ++key_frames_asked_;
  }
}

void Publisher::on_timeout(dtls::Instant now) {
  if (has_stopped_) return;
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): written before it is read.
  std::array<std::byte, MediaSource::kMaxPacket> packet;
  for (const auto& source : sources_) {
    while (const auto size = source->write(packet, now)) {
      if (!session().send_rtp(std::span(packet).first(*size))) ++not_sent_;
    }
  }
}

std::optional<dtls::Instant> Publisher::media_timeout() const {
  std::optional<dtls::Instant> next;
  if (has_stopped_) return next;
  for (const auto& source : sources_) next = common::earlier(next, source->next_timeout());
  return next;
}

void Publisher::write_report(rtp::CompoundWriter& writer, dtls::Instant now) {
  for (const auto& source : sources_) {
    const auto report = source->report(now);
    if (report && writer.add(*report)) add_cname(writer, source->ssrc());
  }
}

std::uint64_t Publisher::lost_on_the_way() const {
  std::uint64_t lost = 0;
  for (const auto& [ssrc, packets] : lost_) lost += packets;
  return lost;
}

SentPackets Publisher::sent() const {
  SentPackets sent;
  for (const auto& source : sources_) sent[source->id()] = source->packets();
  return sent;
}

}  // namespace sluice::interop::load
