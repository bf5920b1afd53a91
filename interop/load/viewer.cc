#include "load/viewer.h"

#include <algorithm>
#include <span>
#include <variant>

#include "common/clock.h"

namespace sluice::interop::load {
namespace {

// A viewer sends no media. Its reports have this SSRC, which no server chooses.
constexpr rtp::Ssrc kOwnSsrc{1};

}  // namespace

std::variant<StreamCheck, RecordingCheck> Viewer::check_of(SectionKind kind) const {
  const auto& recording = kind == SectionKind::audio ? options_.audio : options_.video;
  if (recording) return RecordingCheck(recording);
  return StreamCheck(kind);
}

Viewer::Stream* Viewer::stream_of(rtp::Ssrc ssrc, SectionKind kind) {
  const auto found = std::ranges::find(streams_, ssrc, &Stream::ssrc);
  if (found != streams_.end()) return &*found;
  if (streams_.size() == kMaxStreams) return nullptr;
  const std::uint32_t clock_rate = kind == SectionKind::audio ? 48'000 : 90'000;
  streams_.push_back({.ssrc = ssrc,
                      .reception = rtp::Reception({.clock_rate = clock_rate}),
                      .check = check_of(kind)});
  return &streams_.back();
}

void Viewer::on_rtp(dtls::MutableBytes bytes, dtls::Instant now) {
  const auto packet = rtp::read_packet(bytes);
  const auto kind = packet ? options_.kinds.at(rtp::number(packet->payload_type)) : std::nullopt;
  Stream* const stream = kind ? stream_of(packet->ssrc, *kind) : nullptr;
  if (stream == nullptr) {
    ++unexpected_;
    return;
  }
  if (!first_packet_at_) first_packet_at_ = now;
  stream->reception.on_packet(packet->sequence_number, packet->timestamp, media_time(now));
  if (options_.asks_again) stream->repair.on_packet(packet->sequence_number, now);
  std::visit([&](auto& check) { check.on_packet(*packet, now); }, stream->check);
}

void Viewer::on_rtcp(const rtp::RtcpPacket& packet, dtls::Instant now) {
  const auto* report = std::get_if<rtp::SenderReport>(&packet);
  if (report == nullptr) return;
  const auto stream = std::ranges::find(streams_, report->sender, &Stream::ssrc);
  if (stream != streams_.end()) stream->reception.on_sender_report(*report, media_time(now));
}

void Viewer::on_timeout(dtls::Instant now) {
  for (Stream& stream : streams_) {
    const auto entries = stream.repair.handle_timeout(now);
    if (entries.empty()) continue;
    send_rtcp([&](rtp::CompoundWriter& writer) {
      (void)writer.add(rtp::ReceiverReport{.sender = kOwnSsrc});
      add_cname(writer, kOwnSsrc);
      (void)writer.add(rtp::GenericNack{.sender = kOwnSsrc,
                                        .media = stream.ssrc,
                                        .entries = std::span<const rtp::NackEntry>(entries)});
    });
  }
}

std::optional<dtls::Instant> Viewer::media_timeout() const {
  std::optional<dtls::Instant> next;
  for (const Stream& stream : streams_) next = common::earlier(next, stream.repair.next_timeout());
  return next;
}

void Viewer::write_report(rtp::CompoundWriter& writer, dtls::Instant now) {
  // As many as a report can have.
  constexpr std::size_t kMaxBlocks = 31;
  std::vector<rtp::ReportBlock> blocks;
  for (Stream& stream : streams_) {
    if (blocks.size() == kMaxBlocks) break;
    blocks.push_back(stream.reception.report_block(stream.ssrc, media_time(now)));
  }
  (void)writer.add(
      rtp::ReceiverReport{.sender = kOwnSsrc, .blocks = std::span<const rtp::ReportBlock>(blocks)});
  add_cname(writer, kOwnSsrc);
}

ReceivedCounts Viewer::counts(const SentPackets& sent) const {
  ReceivedCounts counts;
  for (const Stream& stream : streams_) {
    counts.add(std::visit([&](const auto& check) { return check.counts(sent); }, stream.check));
  }
  return counts;
}

Traffic Viewer::traffic() const {
  Traffic traffic;
  for (const Stream& stream : streams_) {
    traffic.add(std::visit([](const auto& check) { return check.traffic(); }, stream.check));
  }
  return traffic;
}

}  // namespace sluice::interop::load
