#include "sfu/forwarding/viewer.h"

#include <algorithm>
#include <ranges>
#include <span>
#include <utility>
#include <variant>

#include "common/random_numbers.h"

namespace sluice::interop::sfu {
namespace {

std::vector<LayerRate> rates_of(const Track& track, dtls::Instant now) {
  std::vector<LayerRate> rates;
  for (const Layer& layer : track.layers()) {
    rates.push_back({layer.rate().bits_per_second(now), layer.rate().peak(now)});
  }
  return rates;
}

}  // namespace

rtp::ForwardOptions forward_options(const ViewedStream& agreed) {
  rtp::ForwardOptions options{.ssrc = agreed.ssrc};
  // All formats of a kind have one clock.
  options.clock_rate = agreed.kind == SectionKind::audio ? 48'000 : 90'000;
  options.payload_types = agreed.payload_types;
  options.extension_ids = agreed.extension_ids;
  options.absolute_send_time = agreed.send_time_extension;
  if (agreed.mid_extension) options.mid = {.id = *agreed.mid_extension, .text = agreed.mid};
  if (!agreed.has_nack) options.repeat_window = 0;
  options.rtx = agreed.rtx;
  return options;
}

tl::expected<std::vector<ViewerStream>, std::string> make_streams(
    const std::vector<ViewedStream>& agreed) {
  std::vector<ViewerStream> streams;
  for (const ViewedStream& each : agreed) {
    auto stream = rtp::ForwardedStream::make(forward_options(each));
    if (!stream) {
      return tl::unexpected<std::string>("The a=mid or a=extmap lines of the offer can't be used.");
    }
    streams.push_back({.agreed = each, .stream = *std::move(stream)});
  }
  return streams;
}

Viewer::Viewer(ice_lite::SessionHandle session, std::vector<ViewerStream> streams,
               dtls::Instant now)
    : session_(session),
      streams_(std::move(streams)),
      timer_({}, media_time(now), common::random_u32()) {
  for (ViewerStream& stream : streams_) {
    seats_.resize(std::max(seats_.size(), stream.agreed.seat + 1));
    stream.subscription.receiver = {session_, &stream.stream, &next_transport_number_};
  }
}

// ---- seats

Track* ViewerStream::track_of(Publisher& publisher) const {
  const auto found = std::ranges::find_if(
      publisher.tracks(), [&](const Track& each) { return agreed.takes(each.format()); });
  return found != publisher.tracks().end() ? &*found : nullptr;
}

bool Viewer::can_watch(Publisher& publisher) const {
  return std::ranges::any_of(
      streams_, [&](const ViewerStream& stream) { return stream.track_of(publisher) != nullptr; });
}

void Viewer::seat(Publisher& publisher, MediaPort& port, dtls::Instant now) {
  if (is_bound() && !is_bound_to(publisher)) return;
  if (std::ranges::find(seats_, &publisher) != seats_.end()) return;
  for (std::size_t seat = 0; seat < seats_.size(); ++seat) {
    if (seats_[seat] != nullptr) continue;
    for (ViewerStream& stream : streams_) {
      Track* const track = stream.agreed.seat == seat ? stream.track_of(publisher) : nullptr;
      if (track == nullptr) continue;
      stream.track = track;
      seats_[seat] = &publisher;
      if (is_connected_) start(stream, port, now);
    }
    if (seats_[seat] != nullptr) return;
  }
}

void Viewer::leave(Publisher& publisher) {
  if (is_bound_to(publisher)) bound_ = nullptr;
  for (ViewerStream& stream : streams_) {
    if (seats_[stream.agreed.seat] != &publisher) continue;
    Layer::leave(stream.subscription);
    stream.track = nullptr;
  }
  std::ranges::replace(seats_, &publisher, nullptr);
}

void Viewer::connect(MediaPort& port, dtls::Instant now) {
  is_connected_ = true;
  for (ViewerStream& stream : streams_) {
    if (stream.track != nullptr) start(stream, port, now);
  }
}

// A viewer decodes nothing before a key frame.
void Viewer::start(ViewerStream& stream, MediaPort& port, dtls::Instant now) {
  stream.stream.forget_sent();  // of the track before
  stream.choice.ask_for(stream.track->index_of(stream.asked_rid));
  const std::size_t chosen = stream.agreed.layer.value_or(
      stream.choice.choose(rates_of(*stream.track, now), std::nullopt, 0, now));
  Layer& layer = stream.track->layers().at(chosen);
  layer.show(stream.subscription);
  layer.need_key_frame(port, now);
}

// ---- layers

bool Viewer::ask_for_layer(std::string_view mid, const std::string& rid) {
  auto meant = streams_ | std::views::filter([&](const ViewerStream& stream) {
                 return stream.agreed.kind == SectionKind::video &&
                        (mid.empty() || stream.agreed.mid == mid);
               });
  const bool has_layer = std::ranges::any_of(meant, [&](const ViewerStream& stream) {
    return rid.empty() || (stream.track != nullptr && stream.track->index_of(rid));
  });
  if (!has_layer) return false;
  for (ViewerStream& stream : meant) {
    stream.asked_rid = rid;
    if (stream.track != nullptr) stream.choice.ask_for(stream.track->index_of(rid));
  }
  return true;
}

void Viewer::choose_layers(MediaPort& port, dtls::Instant now) {
  std::uint64_t all = 0;
  for (const ViewerStream& stream : streams_) {
    const Layer* const shown = stream.subscription.shown;
    if (shown != nullptr) all += shown->rate().bits_per_second(now);
  }
  for (ViewerStream& stream : streams_) {
    const auto [receiver, shown, next] = stream.subscription;
    if (shown == nullptr || stream.agreed.layer) continue;
    std::vector<Layer>& layers = stream.track->layers();
    if (layers.size() == 1) continue;
    // What it waits for counts as what it has. Until it is known what that takes, nothing is known:
    // after a pause of all layers, their first seconds do not end in the same moment.
    const Layer* const has = next != nullptr ? next : shown;
    const auto rates = has->rate().is_beginning(now) ? std::vector<LayerRate>(layers.size())
                                                     : rates_of(*stream.track, now);
    const auto current = static_cast<std::size_t>(has - layers.data());
    const std::uint64_t others = all - shown->rate().bits_per_second(now);
    const std::size_t chosen = stream.choice.choose(rates, current, others, now);
    if (chosen != current) layers[chosen].show_next(stream.subscription, port, now);
  }
}

// ---- feedback

ViewerStream* Viewer::stream_of(rtp::Ssrc ssrc) {
  const auto found = std::ranges::find_if(
      streams_, [ssrc](const ViewerStream& stream) { return stream.agreed.ssrc == ssrc; });
  return found == streams_.end() ? nullptr : &*found;
}

void Viewer::on_rtcp(rtp::Bytes compound, MediaPort& port, dtls::Instant now) {
  timer_.on_compound(compound.size());
  rtp::CompoundReader reader(compound);
  while (const auto packet = reader.next()) {
    if (!*packet) {
      ++port.counters.malformed;
    } else if (const auto* report = std::get_if<rtp::ReceiverReport>(&**packet)) {
      on_blocks(report->blocks, port, now);
    } else if (const auto* nack = std::get_if<rtp::GenericNack>(&**packet)) {
      ViewerStream* const stream = stream_of(nack->media);
      if (stream == nullptr) continue;
      for (const rtp::NackEntry& entry : nack->entries) {
        entry.for_each([&](auto number) { repeat(*stream, number, port, now); });
      }
    } else if (const auto* loss = std::get_if<rtp::PictureLossIndication>(&**packet)) {
      on_picture_loss(loss->media, port, now);
    } else if (const auto* request = std::get_if<rtp::FullIntraRequest>(&**packet)) {
      for (const auto& entry : request->entries) on_picture_loss(entry.media, port, now);
    } else if (const auto* estimate = std::get_if<rtp::MaximumBitrate>(&**packet)) {
      for (ViewerStream& each : streams_) each.choice.on_estimate(estimate->bits_per_second, now);
    }
  }
}

void Viewer::on_picture_loss(rtp::Ssrc media, MediaPort& port, dtls::Instant now) {
  const ViewerStream* stream = stream_of(media);
  if (stream == nullptr || stream->subscription.shown == nullptr) return;
  stream->subscription.shown->need_key_frame(port, now);
}

void Viewer::repeat(ViewerStream& stream, rtp::SequenceNumber number, MediaPort& port,
                    dtls::Instant now) {
  ++port.counters.nacked;
  if (stream.track == nullptr) {
    ++port.counters.not_cached;
  } else if (!repeats_.take(1, kMaxRepeats, now)) {
    ++port.counters.over_budget;
  } else {
    stream.track->repeat(port, stream.subscription.receiver, number, now);
  }
}

void Viewer::on_blocks(const rtp::ItemList<rtp::ReportBlock>& blocks, MediaPort& port,
                       dtls::Instant now) {
  for (const rtp::ReportBlock& block : blocks) {
    ViewerStream* const stream = stream_of(block.ssrc);
    if (stream == nullptr) continue;
    stream->fraction_lost = block.fraction_lost;
    stream->choice.on_loss(block.fraction_lost);
    const Layer* const layer = stream->subscription.shown;
    const auto moment = layer != nullptr ? layer->moment(now) : std::nullopt;
    if (!moment) continue;
    const auto round_trip = rtp::round_trip_time(rtp::middle(moment->ntp_time),
                                                 block.last_sender_report, block.delay_since_last);
    if (!round_trip) continue;
    stream->round_trip = round_trip;
    (void)port.server.set_rtt(session_, *round_trip);
  }
}

// ---- reports

void Viewer::handle_timeout(MediaPort& port, dtls::Instant now) {
  if (!is_connected_) return;
  choose_layers(port, now);
  if (timer_.next_timeout() > media_time(now)) return;
  const auto due = timer_.handle_timeout(media_time(now), common::random_u32());
  if (due != rtp::ReportDue::regular) return;
  for (ViewerStream& stream : streams_) send_report(stream, port, now);
}

// A sender report says which timestamp of the stream stands for which time of the publisher's
// clock. Streams of one CNAME with one clock are played in sync (RFC 3550 section 6.4.1).
void Viewer::send_report(ViewerStream& stream, MediaPort& port, dtls::Instant now) {
  const Layer* const layer = stream.subscription.shown;
  const auto moment = layer != nullptr ? layer->moment(now) : std::nullopt;
  const auto timestamp = moment ? stream.stream.timestamp_of(moment->timestamp) : std::nullopt;
  if (!timestamp) return;
  const std::string cname = cname_of(stream.agreed.seat);
  const rtp::SdesItem item{
      .source = stream.agreed.ssrc, .type = rtp::SdesType::cname, .text = cname};
  const rtp::SenderReport report{.sender = stream.agreed.ssrc,
                                 .ntp_time = moment->ntp_time,
                                 .rtp_timestamp = *timestamp,
                                 .packets = stream.stream.sent().packets,
                                 .octets = stream.stream.sent().payload_bytes};
  const std::size_t size = send_rtcp(rtcp_path(port, session_), port.counters, report,
                                     rtp::SourceDescription{std::span(&item, 1)});
  if (size > 0) timer_.on_compound(size);
}

}  // namespace sluice::interop::sfu
