#include "demo/media_echo.h"

#include <algorithm>
#include <variant>

#include <sluice/rtp/extension.h>

#include "common/media_clock.h"

namespace sluice::interop::demo {
namespace {

using common::media_time;

// Limit in bytes for an RTCP compound, so that it fits the path MTU with SRTCP's overhead.
constexpr std::size_t kMaxCompound = 1100;

template <class... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};

// Calls `handle` with each packet of a compound that is well formed.
template <class Handle>
void for_each_packet(Bytes compound, const Handle& handle) {
  rtp::CompoundReader reader(compound);
  while (const auto packet = reader.next()) {
    if (*packet) std::visit(handle, **packet);
  }
}

}  // namespace

// The compound of one stream. It stays empty until there is something to answer. What does not fit
// is left out.
class MediaEcho::Answer {
 public:
  explicit Answer(rtp::Ssrc own_ssrc) : own_ssrc_(own_ssrc), buffer_(kMaxCompound) {}

  template <class Report>
  void report(const Report& report) {
    if (compound_.compound().empty() && compound_.add(report)) add_cname();
  }
  // A compound must start with a report and contain a CNAME (RFC 3550 section 6.1), also where
  // reduced-size RTCP (RFC 5506) would allow less.
  template <class Feedback>
  void feedback(const Feedback& feedback) {
    report(rtp::ReceiverReport{.sender = own_ssrc_});
    (void)compound_.add(feedback);
  }

  [[nodiscard]] Buffer take() && {
    buffer_.resize(compound_.compound().size());
    return std::move(buffer_);
  }

 private:
  void add_cname() {
    const rtp::SdesItem cname{.source = own_ssrc_, .type = rtp::SdesType::cname, .text = kCname};
    (void)compound_.add(rtp::SourceDescription{std::span(&cname, 1)});
  }

  rtp::Ssrc own_ssrc_;
  Buffer buffer_;
  rtp::CompoundWriter compound_{rtp::CompoundForm::full, buffer_};
};

MediaEcho::MediaEcho(std::vector<EchoStreamOptions> streams) {
  for (auto& options : streams) {
    const auto clock_rate = options.clock_rate;
    streams_.push_back(
        {.options = std::move(options), .reception = rtp::Reception{{.clock_rate = clock_rate}}});
  }
}

std::vector<EchoStreamState> MediaEcho::state(dtls::Instant now) const {
  std::vector<EchoStreamState> states;
  states.reserve(streams_.size());
  for (const Stream& stream : streams_) {
    states.push_back({.source = stream.source,
                      .packets = stream.packets,
                      .octets = stream.octets,
                      .reception = stream.reception.state(media_time(now))});
  }
  return states;
}

void MediaEcho::restore(const std::vector<EchoStreamState>& states, dtls::Instant now) {
  for (std::size_t i = 0; i < std::min(states.size(), streams_.size()); ++i) {
    Stream& stream = streams_[i];
    stream.source = states[i].source;
    stream.packets = states[i].packets;
    stream.octets = states[i].octets;
    stream.reception = rtp::Reception({.clock_rate = stream.options.clock_rate},
                                      states[i].reception, media_time(now));
  }
}

// RFC 9143 section 9.2: the MID header extension selects the section; without it, a payload type
// that only one section has.
MediaEcho::Stream* MediaEcho::stream_of(const rtp::Packet& packet) {
  if (auto* known = stream_by_source(packet.ssrc)) return known;
  for (auto& stream : streams_) {
    if (stream.source || !stream.options.mid_extension) continue;
    const auto value = rtp::find_extension(packet.extension, *stream.options.mid_extension);
    if (!value || !*value) continue;
    const auto mid = rtp::read_mid(**value);
    if (mid && *mid == stream.options.mid) return &stream;
  }
  const auto fits = [&](const Stream& stream) {
    return stream.options.payload_type == packet.payload_type;
  };
  const auto found = std::ranges::find_if(streams_, fits);
  const bool single = std::ranges::count_if(streams_, fits) == 1;
  return single && !found->source ? &*found : nullptr;
}

MediaEcho::Stream* MediaEcho::stream_by_own_ssrc(rtp::Ssrc ssrc) {
  const auto found = std::ranges::find_if(
      streams_, [ssrc](const Stream& stream) { return stream.options.own_ssrc == ssrc; });
  return found == streams_.end() ? nullptr : &*found;
}

MediaEcho::Stream* MediaEcho::stream_by_source(rtp::Ssrc ssrc) {
  const auto found = std::ranges::find_if(
      streams_, [ssrc](const Stream& stream) { return stream.source == ssrc; });
  return found == streams_.end() ? nullptr : &*found;
}

bool MediaEcho::echo_rtp(MutableBytes packet, dtls::Instant now) {
  const auto read = rtp::read_packet(packet);
  Stream* stream = read ? stream_of(*read) : nullptr;
  if (stream == nullptr || read->payload_type != stream->options.payload_type) {
    ++statistics_.rtp_dropped;
    return false;
  }
  stream->source = read->ssrc;
  stream->reception.on_packet(read->sequence_number, read->timestamp, media_time(now));
  if (!stream->options.send) {
    ++statistics_.rtp_dropped;
    return false;
  }
  stream->packets += 1;
  stream->octets += static_cast<std::uint32_t>(read->payload.size());
  rtp::set_ssrc(packet, stream->options.own_ssrc);
  ++statistics_.rtp_echoed;
  return true;
}

MediaEcho::Answer& MediaEcho::answer_of(std::vector<Answer>& answers, const Stream& stream) {
  return answers[static_cast<std::size_t>(&stream - streams_.data())];
}

// RFC 3550 section 6.4.1: the round-trip time is the time since our report minus the browser's
// delay.
void MediaEcho::read_blocks(const rtp::ItemList<rtp::ReportBlock>& blocks, dtls::Instant now) {
  for (const rtp::ReportBlock& block : blocks) {
    const Stream* stream = stream_by_own_ssrc(block.ssrc);
    if (stream == nullptr || !stream->sent_report ||
        stream->sent_report->ntp_time != block.last_sender_report) {
      continue;
    }
    const auto round_trip = now - stream->sent_report->at - to_duration(block.delay_since_last);
    statistics_.rtt = std::max(round_trip, dtls::Duration::zero());
  }
}

// Sends the report back with the browser's own timestamps, which are right for the echoed frames,
// and with a report block about the browser's packets, from which the browser computes RTT and
// loss.
void MediaEcho::answer_report(const rtp::SenderReport& report, std::vector<Answer>& answers,
                              dtls::Instant now) {
  Stream* stream = stream_by_source(report.sender);
  if (stream == nullptr) return;
  stream->reception.on_sender_report(report, media_time(now));
  const rtp::ReportBlock block = stream->reception.report_block(report.sender, media_time(now));
  const std::span blocks(&block, 1);
  if (stream->options.send) {
    answer_of(answers, *stream)
        .report(rtp::SenderReport{.sender = stream->options.own_ssrc,
                                  .ntp_time = report.ntp_time,
                                  .rtp_timestamp = report.rtp_timestamp,
                                  .packets = stream->packets,
                                  .octets = stream->octets,
                                  .blocks = blocks});
    stream->sent_report = SentReport{.ntp_time = rtp::middle(report.ntp_time), .at = now};
  } else {
    answer_of(answers, *stream)
        .report(rtp::ReceiverReport{.sender = stream->options.own_ssrc, .blocks = blocks});
  }
  ++statistics_.reports_sent;
}

template <class Feedback>
void MediaEcho::send_feedback(const Stream& stream, const Feedback& feedback,
                              std::vector<Answer>& answers) {
  answer_of(answers, stream).feedback(feedback);
  ++statistics_.feedback_forwarded;
}

template <class Feedback>
void MediaEcho::forward(const Feedback& feedback, std::vector<Answer>& answers) {
  const Stream* stream = stream_by_own_ssrc(feedback.media);
  if (stream == nullptr || !stream->source) return;
  Feedback translated = feedback;
  translated.sender = stream->options.own_ssrc;
  translated.media = *stream->source;
  send_feedback(*stream, translated, answers);
}

void MediaEcho::forward_entries(const rtp::FullIntraRequest& request,
                                std::vector<Answer>& answers) {
  for (rtp::FullIntraEntry entry : request.entries) {
    const Stream* stream = stream_by_own_ssrc(entry.media);
    if (stream == nullptr || !stream->source) continue;
    entry.media = *stream->source;
    send_feedback(*stream,
                  rtp::FullIntraRequest{.sender = stream->options.own_ssrc,
                                        .entries = std::span<const rtp::FullIntraEntry>(&entry, 1)},
                  answers);
  }
}

std::vector<Buffer> MediaEcho::answer_rtcp(Bytes packet, dtls::Instant now) {
  std::vector<Answer> answers;
  answers.reserve(streams_.size());
  for (const Stream& stream : streams_) answers.emplace_back(stream.options.own_ssrc);
  // A compound starts with a report (RFC 3550 section 6.1), so the reports are answered first.
  for_each_packet(packet, Overloaded{[&](const rtp::SenderReport& report) {
                                       read_blocks(report.blocks, now);
                                       answer_report(report, answers, now);
                                     },
                                     [&](const rtp::ReceiverReport& report) {
                                       read_blocks(report.blocks, now);
                                     },
                                     [](const auto& /*other*/) {}});
  for_each_packet(
      packet,
      Overloaded{[&](const rtp::PictureLossIndication& feedback) { forward(feedback, answers); },
                 [&](const rtp::GenericNack& feedback) { forward(feedback, answers); },
                 [&](const rtp::FullIntraRequest& request) { forward_entries(request, answers); },
                 [](const auto& /*other*/) {}});
  std::vector<Buffer> compounds;
  for (auto& answer : answers) {
    Buffer compound = std::move(answer).take();
    if (!compound.empty()) compounds.push_back(std::move(compound));
  }
  return compounds;
}

}  // namespace sluice::interop::demo
