#include "sfu/forwarding/publisher.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>
#include <variant>

#include <sluice/rtp/extension.h>

#include "common/random_numbers.h"
#include "common/sdp/simulcast.h"

namespace sluice::interop::sfu {
namespace {

constexpr std::string_view kOwnCname = "sluice";

// Packets with transport-wide numbers that are remembered: more than 10 Mbit/s have between two
// reports, which come every 50 ms. And how many a report is about: it fits into a packet.
constexpr std::size_t kMostArrivals = 1024;
constexpr std::size_t kMostReported = 256;

}  // namespace

Publisher::Publisher(std::unique_ptr<RtcpPath> rtcp, std::vector<PublishedTrack> agreed,
                     rtp::Ssrc own_ssrc, const TrackOptions& options, dtls::Instant now,
                     StreamOrigin origin)
    : rtcp_(std::move(rtcp)),
      origin_(std::move(origin)),
      peer_{.rtcp = rtcp_.get(), .own_ssrc = own_ssrc},
      timer_({}, media_time(now), common::random_u32()),
      heard_at_(now) {
  tracks_.reserve(agreed.size());
  for (auto& track : agreed) {
    if (track.transport_number_extension && !arrivals_) arrivals_.emplace(kMostArrivals);
    tracks_.emplace_back(peer_, std::move(track), options);
  }
}

void Publisher::expect(std::size_t track, std::size_t layer, rtp::Ssrc source) {
  tracks_.at(track).layers().at(layer).expect(source);
}

// ---- packets

// RFC 9143 section 9.2: by the MID, else by a payload type that only one section has.
Track* Publisher::track_of(const rtp::Packet& packet) {
  for (Track& track : tracks_) {
    if (!track.agreed().mid_extension) continue;
    const auto value = rtp::find_extension(packet.extension, *track.agreed().mid_extension);
    const auto mid = value && *value ? rtp::read_mid(**value) : std::string_view{};
    if (mid && !mid->empty() && *mid == track.agreed().mid) return &track;
  }
  const auto fits = [&](const Track& track) {
    return track.agreed().payload_types.at(rtp::number(packet.payload_type));
  };
  const auto found = std::ranges::find_if(tracks_, fits);
  return std::ranges::count_if(tracks_, fits) == 1 ? &*found : nullptr;
}

// An SSRC that is known says all.
std::pair<Track*, Layer*> Publisher::place_of(const rtp::Packet& packet) {
  for (Track& track : tracks_) {
    for (Layer& layer : track.layers()) {
      if (layer.source() == packet.ssrc) return {&track, &layer};
    }
  }
  Track* const track = track_of(packet);
  return {track, track != nullptr ? track->layer_of(packet) : nullptr};
}

Track* Publisher::on_rtp(rtp::MutableBytes bytes, Counters& counters, dtls::Instant now) {
  heard_at_ = now;
  const auto packet = rtp::read_packet(bytes);
  if (!packet) {
    ++counters.malformed;
    return nullptr;
  }
  const auto [track, layer] = place_of(*packet);
  if (layer == nullptr) {
    ++counters.rtp_dropped;
    return nullptr;
  }
  record_arrival(*packet, track->agreed(), now);
  if (!track->on_rtp(*layer, *packet, bytes, now)) {
    ++counters.rtp_dropped;
    return nullptr;
  }
  ++counters.rtp_received;
  return track;
}

void Publisher::record_arrival(const rtp::Packet& packet, const PublishedTrack& agreed,
                               dtls::Instant now) {
  if (!agreed.transport_number_extension) return;
  const auto value = rtp::find_extension(packet.extension, *agreed.transport_number_extension);
  if (!value || !*value) return;
  if (const auto number = rtp::read_transport_sequence_number(**value)) {
    arrivals_->on_packet(*number, media_time(now));
    arrived_ = packet.ssrc;
  }
}

void Publisher::set_tap(PublisherTap* tap) {
  tap_ = tap;
  for (Track& track : tracks_) track.set_tap(tap);
}

void Publisher::on_rtcp(rtp::Bytes compound, Counters& counters, dtls::Instant now) {
  if (tap_ != nullptr) tap_->on_rtcp(compound);
  timer_.on_compound(compound.size());
  rtp::CompoundReader reader(compound);
  while (const auto packet = reader.next()) {
    if (!*packet) {
      ++counters.malformed;
      continue;
    }
    const auto* report = std::get_if<rtp::SenderReport>(&**packet);
    if (report == nullptr) continue;
    for (Track& track : tracks_) {
      for (Layer& layer : track.layers()) {
        if (layer.source() == report->sender) layer.on_sender_report(*report, now);
      }
    }
  }
}

// ---- feedback

void Publisher::handle_timeout(MediaPort& port, dtls::Instant now) {
  for (Track& track : tracks_) track.handle_timeout(port, now);
  if (arrivals_) send_arrivals(port);
  if (timer_.next_timeout() > media_time(now)) return;
  const auto due = timer_.handle_timeout(media_time(now), common::random_u32());
  if (due == rtp::ReportDue::regular) send_report(port, now);
}

void Publisher::send_report(MediaPort& port, dtls::Instant now) {
  std::array<rtp::ReportBlock, 2 * kMaxSimulcastStreams> blocks;
  std::size_t count = 0;
  for (Track& track : tracks_) {
    for (Layer& layer : track.layers()) {
      const auto block = layer.report_block(now);
      if (block && count < blocks.size()) blocks.at(count++) = *block;
    }
  }
  const rtp::SdesItem cname{
      .source = peer_.own_ssrc, .type = rtp::SdesType::cname, .text = kOwnCname};
  const std::size_t size = send_rtcp(*peer_.rtcp, port.counters, [&](rtp::CompoundWriter& writer) {
    (void)writer.add(
        rtp::ReceiverReport{.sender = peer_.own_ssrc,
                            .blocks = std::span<const rtp::ReportBlock>(blocks).first(count)});
    (void)writer.add(rtp::SourceDescription{std::span(&cname, 1)});
  });
  if (size > 0) timer_.on_compound(size);
}

// So that the publisher knows the bandwidth of its path
// (draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3). Browsers drop feedback whose
// media source is none of theirs, though it is about all of them.
void Publisher::send_arrivals(MediaPort& port) {
  while (const auto feedback = arrivals_->poll_feedback(peer_.own_ssrc, arrived_, kMostReported)) {
    (void)send_rtcp(*peer_.rtcp, port.counters, [&](rtp::CompoundWriter& writer) {
      (void)writer.add(rtp::ReceiverReport{.sender = peer_.own_ssrc});
      (void)writer.add(*feedback);
    });
  }
}

}  // namespace sluice::interop::sfu
