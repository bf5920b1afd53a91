#include "sfu/forwarding/publisher.h"

#include <algorithm>
#include <span>
#include <utility>
#include <variant>

#include <sluice/rtp/extension.h>

#include "common/random_numbers.h"

namespace sluice::interop::sfu {
namespace {

constexpr std::string_view kOwnCname = "sluice";

// Packets with transport-wide numbers that are remembered: more than 10 Mbit/s have between two
// reports, which come every 50 ms. And how many a report is about: it fits into a packet.
constexpr std::size_t kMostArrivals = 1024;
constexpr std::size_t kMostReported = 256;

}  // namespace

Publisher::Publisher(PublisherPeer peer, std::vector<PublishedTrack> agreed,
                     const TrackOptions& options, dtls::Instant now, StreamOrigin origin)
    : origin_(std::move(origin)),
      peer_(std::move(peer)),
      timer_({}, media_time(now), common::random_u32()),
      heard_at_(now) {
  tracks_.reserve(agreed.size());
  for (auto& track : agreed) {
    if (track.transport_number_extension && !arrivals_) arrivals_.emplace(kMostArrivals);
    tracks_.emplace_back(peer_, std::move(track), options);
  }
}

// ---- packets

// RFC 9143 section 9.2: by the MID, else by a payload type that only one section has.
Track* Publisher::track_of(const rtp::Packet& packet) {
  for (Track& track : tracks_) {
    const auto mid = read_element(packet, track.agreed().mid_extension, rtp::read_mid);
    if (mid && *mid == track.agreed().mid) return &track;
  }
  const auto fits = [&](const Track& track) {
    return track.agreed().payload_types.at(rtp::number(packet.payload_type));
  };
  const auto found = std::ranges::find_if(tracks_, fits);
  return std::ranges::count_if(tracks_, fits) == 1 ? &*found : nullptr;
}

std::pair<Track*, Layer*> Publisher::find(rtp::Ssrc source) {
  for (Track& track : tracks_) {
    for (Layer& layer : track.layers()) {
      if (layer.source() == source) return {&track, &layer};
    }
  }
  return {};
}

Track* Publisher::on_rtp(rtp::MutableBytes bytes, MediaCounters& counters, dtls::Instant now) {
  heard_at_ = now;
  const auto packet = rtp::read_packet(bytes);
  if (!packet) {
    ++counters.malformed;
    return nullptr;
  }
  auto [track, layer] = find(packet->ssrc);
  if (track == nullptr) track = track_of(*packet);
  if (track != nullptr && layer == nullptr) layer = track->layer_of(*packet);
  if (layer != nullptr) record_arrival(*packet, track->agreed(), now);
  if (layer == nullptr || !track->on_rtp(*layer, *packet, bytes, now)) {
    ++counters.rtp_dropped;
    return nullptr;
  }
  ++counters.rtp_received;
  return track;
}

void Publisher::record_arrival(const rtp::Packet& packet, const PublishedTrack& agreed,
                               dtls::Instant now) {
  const auto number =
      read_element(packet, agreed.transport_number_extension, rtp::read_transport_sequence_number);
  if (!number) return;
  arrivals_->on_packet(*number, media_time(now));
  arrived_ = packet.ssrc;
}

void Publisher::set_tap(PublisherTap* tap) {
  tap_ = tap;
  for (Track& track : tracks_) track.set_tap(tap);
}

void Publisher::on_rtcp(rtp::Bytes compound, MediaCounters& counters, dtls::Instant now) {
  if (tap_ != nullptr) tap_->on_rtcp(compound);
  timer_.on_compound(compound.size());
  rtp::CompoundReader reader(compound);
  while (const auto packet = reader.next()) {
    if (!*packet) {
      ++counters.malformed;
      continue;
    }
    const auto* report = std::get_if<rtp::SenderReport>(&**packet);
    Layer* const layer = report != nullptr ? find(report->sender).second : nullptr;
    if (layer != nullptr) layer->on_sender_report(*report, now);
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
  std::vector<rtp::ReportBlock> blocks;
  for (Track& track : tracks_) {
    for (Layer& layer : track.layers()) {
      const auto block = layer.report_block(now);
      if (block) blocks.push_back(*block);
    }
  }
  const rtp::SdesItem cname{
      .source = peer_.own_ssrc, .type = rtp::SdesType::cname, .text = kOwnCname};
  const rtp::ReceiverReport report{.sender = peer_.own_ssrc,
                                   .blocks = std::span<const rtp::ReportBlock>(blocks)};
  const std::size_t size =
      send_rtcp(peer_.path, port.counters, report, rtp::SourceDescription{std::span(&cname, 1)});
  if (size > 0) timer_.on_compound(size);
}

// So that the publisher knows the bandwidth of its path
// (draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3). Browsers drop feedback whose
// media source is none of theirs, though it is about all of them.
void Publisher::send_arrivals(MediaPort& port) {
  while (const auto feedback = arrivals_->poll_feedback(peer_.own_ssrc, arrived_, kMostReported)) {
    (void)peer_.tell(port.counters, *feedback);
  }
}

}  // namespace sluice::interop::sfu
