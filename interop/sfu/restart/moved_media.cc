// How publishers and viewers leave a process, and go on in another one: the parts of their classes
// that nothing else needs.
#include "sfu/restart/moved_media.h"

#include <algorithm>
#include <utility>

#include "sfu/forwarding/publisher.h"
#include "sfu/forwarding/viewer.h"

namespace sluice::interop::sfu {

// ---- layers

MovedLayer Layer::state(dtls::Instant now) const {
  return {.source = source_,
          .reception = reception_.state(media_time(now)),
          .clock = clock_.state(media_time(now)),
          .bytes = bytes_,
          .bits_per_second = rate_.bits_per_second(now),
          .peak_rate = rate_.peak(now)};
}

void Layer::restore(const MovedLayer& moved, dtls::Instant now) {
  source_ = moved.source;
  reception_ =
      rtp::Reception({.clock_rate = format_->clock_rate}, moved.reception, media_time(now));
  if (moved.clock) clock_.restore(*moved.clock, media_time(now));
  bytes_ = moved.bytes;
  rate_ = RateMeter(moved.bits_per_second, moved.peak_rate, now);
  if (!source_) return;
  // What was lost over the move is asked for. A mirror that was not fed for long may be anywhere.
  missing_.reset();
  const auto highest = static_cast<std::uint16_t>(moved.reception.highest);
  missing_.on_packet(rtp::SequenceNumber{highest}, now);
}

// ---- publishers

namespace {

std::vector<PublishedTrack> agreed_tracks(const MovedPublisher& moved) {
  std::vector<PublishedTrack> tracks;
  tracks.reserve(moved.tracks.size());
  for (const MovedTrack& track : moved.tracks) tracks.push_back(track.agreed);
  return tracks;
}

}  // namespace

MovedPublisher Publisher::state(dtls::Instant now) const {
  MovedPublisher moved{
      .own_ssrc = peer_.own_ssrc, .stream_id = origin_.id, .unheard = now - heard_at_};
  for (const Track& track : tracks_) {
    MovedTrack& each = moved.tracks.emplace_back(MovedTrack{.agreed = track.agreed()});
    for (const Layer& layer : track.layers()) each.layers.push_back(layer.state(now));
  }
  return moved;
}

Publisher::Publisher(RtcpPath path, const MovedPublisher& moved, const TrackOptions& options,
                     dtls::Instant now)
    : Publisher({.path = std::move(path), .own_ssrc = moved.own_ssrc}, agreed_tracks(moved),
                options, now, {.id = moved.stream_id}) {
  heard_at_ = now - moved.unheard;
  for (std::size_t i = 0; i < tracks_.size(); ++i) {
    auto& layers = tracks_[i].layers();
    for (std::size_t j = 0; j < layers.size(); ++j) {
      layers[j].restore(moved.tracks.at(i).layers.at(j), now);
    }
  }
}

// ---- viewers

MovedViewer Viewer::move_out(const PlaceOfPublisher& place_of, dtls::Instant now) {
  MovedViewer moved{.next_transport_number = next_transport_number_, .node = node_};
  for (const Publisher* publisher : seats_) {
    moved.seats.push_back(publisher != nullptr ? place_of(*publisher) : std::nullopt);
  }
  for (ViewerStream& stream : streams_) {
    MovedStream each{.agreed = stream.agreed, .asked_rid = stream.asked_rid};
    if (const Layer* shown = stream.subscription.shown) {
      const auto& tracks = seats_.at(stream.agreed.seat)->tracks();
      each.shown = {.track = static_cast<std::size_t>(stream.track - tracks.data()),
                    .layer = static_cast<std::size_t>(shown - stream.track->layers().data())};
    }
    Layer::leave(stream.subscription);
    each.stream = std::move(stream.stream).state(media_time(now));
    moved.streams.push_back(std::move(each));
  }
  return moved;
}

void Viewer::restore(const MovedViewer& moved, const PublisherInPlace& publisher_in,
                     dtls::Instant now) {
  is_connected_ = true;
  next_transport_number_ = moved.next_transport_number;
  for (std::size_t i = 0; i < std::min(seats_.size(), moved.seats.size()); ++i) {
    seats_[i] = moved.seats[i] ? publisher_in(*moved.seats[i]) : nullptr;
  }
  node_ = moved.node;
  if (!node_.empty()) bound_ = seats_.front();
  for (std::size_t i = 0; i < streams_.size(); ++i) {
    if (const auto& shown = moved.streams.at(i).shown) show_again(streams_[i], *shown, now);
  }
  // A seat of which nothing can be shown is free.
  for (std::size_t seat = 0; seat < seats_.size(); ++seat) {
    const bool is_used = std::ranges::any_of(streams_, [seat](const ViewerStream& stream) {
      return stream.agreed.seat == seat && stream.track != nullptr;
    });
    if (!is_used) seats_[seat] = nullptr;
  }
}

void Viewer::show_again(ViewerStream& stream, const ShownLayer& shown, dtls::Instant now) {
  Publisher* const publisher = seats_.at(stream.agreed.seat);
  if (publisher == nullptr || shown.track >= publisher->tracks().size()) return;
  Track& track = publisher->tracks()[shown.track];
  if (shown.layer >= track.layers().size() || !stream.agreed.takes(track.format())) return;
  stream.track = &track;
  stream.choice.go_on(track.index_of(stream.asked_rid), now);
  track.layers()[shown.layer].go_on_showing(stream.subscription);
}

}  // namespace sluice::interop::sfu
