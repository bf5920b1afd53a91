#include "demo/media_echo.h"

#include <algorithm>

namespace sluice::interop::demo {

namespace {

// Limit in bytes for an RTCP compound, so that it fits the path MTU with SRTCP's overhead.
constexpr std::size_t kMaxCompound = 1100;

}  // namespace

// The RTCP compounds to send. A compound stays empty until there is something to answer.
struct MediaEcho::Answers {
  std::vector<Buffer> compounds;  // parallel to MediaEcho::streams_

  // Adds `part`, unless the compound would become too large. `in_front`: a report, which must come
  // first (RFC 3550 section 6.1).
  void add(std::size_t stream, Buffer part, bool in_front) {
    auto& compound = compounds[stream];
    if (compound.size() + part.size() > kMaxCompound) return;
    compound.insert(in_front ? compound.begin() : compound.end(), part.begin(), part.end());
  }
};

MediaEcho::MediaEcho(std::vector<EchoStreamOptions> streams) {
  for (auto& options : streams) {
    const auto clock_rate = options.clock_rate;
    streams_.push_back({.options = std::move(options), .reception = Reception{clock_rate}});
  }
}

// RFC 9143 section 9.2: the MID header extension selects the section; without it, a payload type
// that only one section has.
MediaEcho::Stream* MediaEcho::stream_of(const RtpHeader& header) {
  if (auto* known = stream_by_source(header.ssrc)) return known;
  for (auto& stream : streams_) {
    if (stream.source || !stream.options.mid_extension) continue;
    const auto mid = find_extension(header, *stream.options.mid_extension);
    if (mid && *mid == stream.options.mid) return &stream;
  }
  const auto fits = [&](const Stream& stream) {
    return stream.options.payload_type == header.payload_type;
  };
  const auto found = std::ranges::find_if(streams_, fits);
  const bool single = std::ranges::count_if(streams_, fits) == 1;
  return single && !found->source ? &*found : nullptr;
}

MediaEcho::Stream* MediaEcho::stream_by_own_ssrc(std::uint32_t ssrc) {
  const auto found = std::ranges::find_if(
      streams_, [ssrc](const Stream& stream) { return stream.options.own_ssrc == ssrc; });
  return found == streams_.end() ? nullptr : &*found;
}

MediaEcho::Stream* MediaEcho::stream_by_source(std::uint32_t ssrc) {
  const auto found = std::ranges::find_if(
      streams_, [ssrc](const Stream& stream) { return stream.source == ssrc; });
  return found == streams_.end() ? nullptr : &*found;
}

std::size_t MediaEcho::index_of(const Stream& stream) const {
  return static_cast<std::size_t>(&stream - streams_.data());
}

bool MediaEcho::echo_rtp(MutableBytes packet, dtls::Instant now) {
  const auto header = read_rtp_header(packet);
  Stream* stream = header ? stream_of(*header) : nullptr;
  if (stream == nullptr || header->payload_type != stream->options.payload_type) {
    ++statistics_.rtp_dropped;
    return false;
  }
  stream->source = header->ssrc;
  stream->reception.packet(header->sequence_number, header->timestamp, now);
  if (!stream->options.send) {
    ++statistics_.rtp_dropped;
    return false;
  }
  stream->packets += 1;
  stream->octets += static_cast<std::uint32_t>(header->payload_size);
  set_rtp_ssrc(packet, stream->options.own_ssrc);
  ++statistics_.rtp_echoed;
  return true;
}

// Sends the report back with the browser's own timestamps, which are right for the echoed frames,
// and with a report block about the browser's packets, from which the browser computes RTT and
// loss.
void MediaEcho::answer(const SenderReport& report, Answers& answers, dtls::Instant now) {
  Stream* stream = stream_by_source(report.sender);
  if (stream == nullptr) return;
  stream->reception.sender_report(report.middle_ntp(), now);
  Buffer block;
  stream->reception.append_report_block(block, report.sender, now);
  Buffer answer;
  if (stream->options.send) {
    SenderReport own = report;
    own.sender = stream->options.own_ssrc;
    append_sender_report(answer, own, stream->packets, stream->octets, block);
    stream->sent_report = SentReport{.middle_ntp = report.middle_ntp(), .at = now};
  } else {
    append_receiver_report(answer, stream->options.own_ssrc, block);
  }
  append_cname(answer, stream->options.own_ssrc, kCname);
  ++statistics_.reports_sent;
  answers.add(index_of(*stream), std::move(answer), true);
}

// RFC 3550 section 6.4.1: the round-trip time is the time since our report minus the browser's
// delay.
void MediaEcho::answer(const ReportBlock& block, Answers& /*answers*/, dtls::Instant now) {
  const Stream* stream = stream_by_own_ssrc(block.ssrc);
  if (stream == nullptr || !stream->sent_report ||
      stream->sent_report->middle_ntp != block.last_sender_report) {
    return;
  }
  const auto round_trip = now - stream->sent_report->at - from_ntp_units(block.delay_since_last);
  statistics_.rtt = std::max(round_trip, dtls::Duration::zero());
}

template <class Feedback>
void MediaEcho::answer(const Feedback& feedback, Answers& answers, dtls::Instant /*now*/) {
  const Stream* stream = stream_by_own_ssrc(feedback.media_ssrc);
  if (stream == nullptr || !stream->source) return;
  Buffer part;
  if (answers.compounds[index_of(*stream)].empty()) {
    append_receiver_report(part, stream->options.own_ssrc, {});
    append_cname(part, stream->options.own_ssrc, kCname);
  }
  Feedback translated = feedback;
  translated.media_ssrc = *stream->source;
  append_feedback(part, stream->options.own_ssrc, translated);
  answers.add(index_of(*stream), std::move(part), false);
  ++statistics_.feedback_forwarded;
}

std::vector<Buffer> MediaEcho::answer_rtcp(Bytes packet, dtls::Instant now) {
  Answers answers{.compounds = std::vector<Buffer>(streams_.size())};
  for (const auto& item : read_rtcp(packet)) {
    std::visit([&](const auto& value) { answer(value, answers, now); }, item);
  }
  std::erase_if(answers.compounds, [](const Buffer& compound) { return compound.empty(); });
  return std::move(answers.compounds);
}

}  // namespace sluice::interop::demo
