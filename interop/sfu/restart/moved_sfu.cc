#include "sfu/restart/moved_sfu.h"

#include <algorithm>
#include <array>
#include <exception>
#include <span>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "common/sdp/simulcast.h"
#include "common/state/state_fields.h"
#include "common/state/stored_numbers.h"

namespace sluice::interop::sfu {
namespace {

// Another version: also where payload types and header extension IDs of media_format.h change.
constexpr std::string_view kSfuMagic = "sluice sfu 3\n";

constexpr std::size_t kSessionId = 32;
// Of an address, a MID, an RID and so on, in bytes.
constexpr std::size_t kLongestText = 1024;
constexpr std::size_t kMostTracks = 2;

void must(bool is_true, const char* what) {
  if (!is_true) throw std::out_of_range(what);
}

std::string read_text(const Cbor& from) {
  auto text = from.get<std::string>();
  must(text.size() <= kLongestText, "a text that is too long");
  return text;
}

// ---- what was agreed on: tables by their entries, as pairs

Cbor types_cbor(const rtp::PayloadTypes& types) {
  Cbor made = Cbor::array();
  for (std::size_t i = 0; i < types.size(); ++i) {
    if (types.at(i)) made.push_back(Cbor::array({i, rtp::number(*types.at(i))}));
  }
  return made;
}
rtp::PayloadTypes read_types(const Cbor& from) {
  rtp::PayloadTypes types;
  for (const Cbor& pair : from) {
    types.at(read_number<std::uint8_t>(pair.at(0))) = read_number<rtp::PayloadType>(pair.at(1));
  }
  return types;
}

Cbor ids_cbor(const rtp::ExtensionIds& ids) {
  Cbor made = Cbor::array();
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (ids.at(i) != 0) made.push_back(Cbor::array({i, ids.at(i)}));
  }
  return made;
}
rtp::ExtensionIds read_ids(const Cbor& from) {
  rtp::ExtensionIds ids{};
  for (const Cbor& pair : from) {
    const auto id = read_number<std::uint8_t>(pair.at(1));
    must(id <= kMaxExtensionId, "an ID of a header extension");
    ids.at(read_number<std::uint8_t>(pair.at(0))) = id;
  }
  return ids;
}

Cbor track_cbor(const PublishedTrack& track) {
  Cbor types = Cbor::array();
  for (std::size_t i = 0; i < track.payload_types.size(); ++i) {
    if (track.payload_types.at(i)) types.push_back(i);
  }
  return {track.format->name,
          track.mid,
          optional_cbor(track.mid_extension),
          track.rids,
          optional_cbor(track.rid_extension),
          optional_cbor(track.transport_number_extension),
          track.has_nack,
          types,
          ids_cbor(track.extension_ids)};
}
PublishedTrack read_track(const Cbor& from) {
  const auto name = from.at(0).get<std::string>();
  const auto format = std::ranges::find(formats(), name, &Format::name);
  must(format != formats().end(), "an unknown format");
  PublishedTrack track{.format = &*format, .mid = read_text(from.at(1))};
  track.mid_extension = read_optional<rtp::ExtensionId>(from.at(2));
  for (const Cbor& rid : from.at(3)) track.rids.push_back(read_text(rid));
  track.rid_extension = read_optional<rtp::ExtensionId>(from.at(4));
  must(track.rids.size() <= kMaxSimulcastStreams && (track.rids.empty() || track.rid_extension),
       "layers that can't be told apart");
  track.transport_number_extension = read_optional<rtp::ExtensionId>(from.at(5));
  track.has_nack = from.at(6).get<bool>();
  for (const Cbor& type : from.at(7))
    track.payload_types.at(read_number<std::uint8_t>(type)) = true;
  track.extension_ids = read_ids(from.at(8));
  return track;
}

Cbor viewed_cbor(const ViewedStream& stream) {
  Cbor rtx;
  if (stream.rtx) rtx = {rtp::number(stream.rtx->ssrc), types_cbor(stream.rtx->payload_types)};
  return {static_cast<unsigned>(stream.kind),
          stream.mid,
          optional_cbor(stream.mid_extension),
          optional_cbor(stream.send_time_extension),
          types_cbor(stream.payload_types),
          ids_cbor(stream.extension_ids),
          stream.has_nack,
          rtp::number(stream.ssrc),
          rtx,
          stream.seat,
          optional_cbor(stream.layer)};
}
ViewedStream read_viewed(const Cbor& from) {
  ViewedStream stream{.kind = read_enum(from.at(0), SectionKind::video),
                      .mid = read_text(from.at(1))};
  stream.mid_extension = read_optional<rtp::ExtensionId>(from.at(2));
  stream.send_time_extension = read_optional<rtp::ExtensionId>(from.at(3));
  stream.payload_types = read_types(from.at(4));
  stream.extension_ids = read_ids(from.at(5));
  stream.has_nack = from.at(6).get<bool>();
  stream.ssrc = read_number<rtp::Ssrc>(from.at(7));
  const Cbor& rtx = from.at(8);
  if (!rtx.is_null()) {
    stream.rtx = rtp::RtxOptions{.ssrc = read_number<rtp::Ssrc>(rtx.at(0)),
                                 .payload_types = read_types(rtx.at(1))};
  }
  stream.seat = read_number<std::size_t>(from.at(9));
  must(stream.seat < kMaxViewedStreams, "a seat");
  stream.layer = read_optional<std::size_t>(from.at(10));
  must(stream.layer.value_or(0) < kMaxSimulcastStreams, "a layer");
  return stream;
}

// ---- numbers

Cbor layer_cbor(const MovedLayer& layer) {
  Cbor clock;
  if (layer.clock) {
    clock = {static_cast<std::uint64_t>(layer.clock->last.ntp_time),
             rtp::number(layer.clock->last.timestamp), layer.clock->since.count()};
  }
  return {optional_cbor(layer.source),
          reception_cbor(layer.reception),
          clock,
          layer.bytes,
          layer.bits_per_second,
          layer.peak_rate};
}
MovedLayer read_layer(const Cbor& from) {
  MovedLayer layer{.source = read_optional<rtp::Ssrc>(from.at(0)),
                   .reception = read_reception(from.at(1))};
  if (const Cbor& clock = from.at(2); !clock.is_null()) {
    layer.clock = {.last = {.ntp_time = read_number<rtp::NtpTime>(clock.at(0)),
                            .timestamp = read_number<rtp::Timestamp>(clock.at(1))},
                   .since = read_time(clock.at(2))};
  }
  layer.bytes = read_number<std::uint64_t>(from.at(3));
  layer.bits_per_second = read_number<std::uint64_t>(from.at(4));
  // Servers before had none.
  layer.peak_rate =
      from.size() > 5 ? read_number<std::uint64_t>(from.at(5)) : layer.bits_per_second;
  return layer;
}

Cbor forwarded_cbor(const rtp::ForwardedStreamState& stream) {
  const rtp::SourceTimelineState& timeline = stream.timeline;
  Cbor segments = Cbor::array();
  for (const auto& segment : timeline.segments) {
    segments.push_back(Cbor::array({segment.first, segment.last, segment.offset}));
  }
  return {optional_cbor(timeline.source),
          timeline.highest,
          timeline.timestamp_offset,
          segments,
          rtp::number(timeline.highest_placed),
          rtp::number(timeline.newest_timestamp),
          timeline.since_newest.count(),
          rtp::number(stream.next_rtx_number),
          stream.sent.packets,
          stream.sent.payload_bytes};
}
rtp::ForwardedStreamState read_forwarded(const Cbor& from) {
  rtp::ForwardedStreamState stream;
  rtp::SourceTimelineState& timeline = stream.timeline;
  timeline.source = read_optional<rtp::Ssrc>(from.at(0));
  timeline.highest = from.at(1).get<std::int64_t>();
  timeline.timestamp_offset = read_number<std::uint32_t>(from.at(2));
  const Cbor& segments = from.at(3);
  must(segments.size() <= rtp::SourceTimeline::kMaxSegments, "too many parts of a stream");
  for (const Cbor& segment : segments) {
    timeline.segments.push_back({.first = segment.at(0).get<std::int64_t>(),
                                 .last = segment.at(1).get<std::int64_t>(),
                                 .offset = read_number<std::uint16_t>(segment.at(2))});
  }
  timeline.highest_placed = read_number<rtp::SequenceNumber>(from.at(4));
  timeline.newest_timestamp = read_number<rtp::Timestamp>(from.at(5));
  timeline.since_newest = read_time(from.at(6));
  stream.next_rtx_number = read_number<rtp::SequenceNumber>(from.at(7));
  stream.sent.packets = read_number<std::uint32_t>(from.at(8));
  stream.sent.payload_bytes = read_number<std::uint32_t>(from.at(9));
  return stream;
}

// ---- publishers and viewers

Cbor publisher_cbor(const MovedPublisher& publisher) {
  Cbor tracks = Cbor::array();
  for (const MovedTrack& track : publisher.tracks) {
    Cbor layers = Cbor::array();
    for (const MovedLayer& layer : track.layers) layers.push_back(layer_cbor(layer));
    tracks.push_back(Cbor::array({track_cbor(track.agreed), layers}));
  }
  return {rtp::number(publisher.own_ssrc), publisher.unheard.count(), tracks, publisher.stream_id};
}
MovedPublisher read_publisher(const Cbor& from) {
  MovedPublisher publisher{.own_ssrc = read_number<rtp::Ssrc>(from.at(0)),
                           .stream_id = read_text(from.at(3)),
                           .unheard = read_time(from.at(1))};
  for (const Cbor& each : from.at(2)) {
    MovedTrack track{.agreed = read_track(each.at(0))};
    for (const Cbor& layer : each.at(1)) track.layers.push_back(read_layer(layer));
    must(track.layers.size() == std::max<std::size_t>(track.agreed.rids.size(), 1),
         "another number of layers than was agreed on");
    publisher.tracks.push_back(std::move(track));
  }
  must(!publisher.tracks.empty() && publisher.tracks.size() <= kMostTracks, "a number of tracks");
  return publisher;
}

Cbor stream_cbor(const MovedStream& stream) {
  Cbor shown;
  if (stream.shown) shown = {stream.shown->track, stream.shown->layer};
  return {viewed_cbor(stream.agreed), forwarded_cbor(stream.stream), stream.asked_rid, shown};
}
MovedStream read_stream(const Cbor& from) {
  MovedStream stream{.agreed = read_viewed(from.at(0)),
                     .stream = read_forwarded(from.at(1)),
                     .asked_rid = read_text(from.at(2))};
  if (const Cbor& shown = from.at(3); !shown.is_null()) {
    stream.shown = ShownLayer{.track = read_number<std::size_t>(shown.at(0)),
                              .layer = read_number<std::size_t>(shown.at(1))};
  }
  return stream;
}

Cbor viewer_cbor(const MovedViewer& viewer) {
  Cbor streams = Cbor::array();
  for (const MovedStream& stream : viewer.streams) streams.push_back(stream_cbor(stream));
  Cbor seats = Cbor::array();
  for (const auto& seat : viewer.seats) seats.push_back(optional_cbor(seat));
  return {streams, seats, rtp::number(viewer.next_transport_number), viewer.node};
}
MovedViewer read_viewer(const Cbor& from) {
  MovedViewer viewer;
  must(from.at(0).size() <= kMaxViewedStreams && !from.at(0).empty(), "a number of streams");
  for (const Cbor& stream : from.at(0)) viewer.streams.push_back(read_stream(stream));
  must(from.at(1).size() <= kMaxViewedStreams, "too many seats");
  for (const Cbor& seat : from.at(1)) viewer.seats.push_back(read_optional<std::size_t>(seat));
  viewer.next_transport_number = read_number<rtp::SequenceNumber>(from.at(2));
  viewer.node = read_text(from.at(3));
  return viewer;
}

// ---- data channels

Cbor data_cbor(const MovedData& data) {
  Cbor channels = Cbor::array();
  for (const auto& [id, options, is_own] : data.channels) {
    channels.push_back(Cbor::array({channel_cbor(id, options), is_own}));
  }
  return {data.role == dtls::Role::client, data.port, data.max_message_size, channels};
}
MovedData read_data(const Cbor& from) {
  MovedData data{.role = from.at(0).get<bool>() ? dtls::Role::client : dtls::Role::server,
                 .port = read_number<std::uint16_t>(from.at(1)),
                 .max_message_size = read_number<std::uint64_t>(from.at(2))};
  std::array<std::size_t, 2> counts{};  // of the peer's, and of own ones
  for (const Cbor& each : from.at(3)) {
    auto [id, options] = read_channel(each.at(0));
    const bool is_own = each.at(1).get<bool>();
    must(++counts.at(is_own ? 1 : 0) <= kMaxDataChannels, "too many data channels");
    must(std::max(options.label.size(), options.protocol.size()) <= kMaxDataLabel, "a long label");
    data.channels.push_back({.id = id, .options = options, .is_own = is_own});
  }
  return data;
}

// ---- a session, without its transport

Cbor session_cbor(const MovedSession& session) {
  Cbor made = {{"id", session.id},
               {"address", session.address},
               {"room", session.room},
               {"age", session.age.count()},
               {"ice", Cbor::array({session.ice.remote.ufrag, session.ice.remote.pwd,
                                    session.ice.head, optional_cbor(session.ice.since_restart)})},
               {"data", session.data ? data_cbor(*session.data) : Cbor()}};
  if (session.publisher) made["publisher"] = publisher_cbor(*session.publisher);
  if (session.viewer) made["viewer"] = viewer_cbor(*session.viewer);
  return made;
}
bool is_hexadecimal(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}
MovedSession read_session(const Cbor& from) {
  MovedSession session;
  session.id = read_text(from.at("id"));
  must(session.id.size() == kSessionId && is_hexadecimal(session.id), "an ID");
  session.address = read_text(from.at("address"));
  session.room = read_text(from.at("room"));
  session.age = read_time(from.at("age"));
  const Cbor& ice = from.at("ice");
  session.ice = {.remote = {.ufrag = read_text(ice.at(0)), .pwd = read_text(ice.at(1))},
                 .head = ice.at(2).get<std::string>(),
                 .since_restart = read_optional_time(ice.at(3))};
  if (const Cbor& data = from.at("data"); !data.is_null()) session.data = read_data(data);
  if (from.contains("publisher")) session.publisher = read_publisher(from.at("publisher"));
  if (from.contains("viewer")) session.viewer = read_viewer(from.at("viewer"));
  must(session.publisher.has_value() != session.viewer.has_value(), "a session of no kind");
  return session;
}

Cbor head_cbor(const MovedSfu& sfu) {
  Cbor idle = Cbor::object();
  for (const auto& [name, time] : sfu.idle_rooms) idle[name] = time.count();
  return {{"left_at", sfu.left_at}, {"idle", idle}, {"sessions", sfu.sessions.size()}};
}

MovedSfu read_sfu(PartReader in) {
  const dtls::Bytes magic = in.bytes(kSfuMagic.size());
  must(std::ranges::equal(magic, std::as_bytes(std::span(kSfuMagic))),
       "no sessions of sluice-sfu, or of another version");
  const Cbor head = in.part();
  MovedSfu sfu{.left_at = head.at("left_at").get<std::int64_t>()};
  for (const auto& [name, time] : head.at("idle").items()) {
    sfu.idle_rooms.emplace(name, read_time(time));
  }
  for (auto count = read_number<std::uint32_t>(head.at("sessions")); count > 0; --count) {
    MovedSession session = read_session(in.part());
    const dtls::Bytes transport = in.sized();
    session.transport = dtls::SecretBytes(dtls::Buffer(transport.begin(), transport.end()));
    sfu.sessions.push_back(std::move(session));
  }
  must(in.at_end(), "bytes that are left over");
  return sfu;
}

}  // namespace

dtls::SecretBytes encode(const MovedSfu& sfu) {
  std::vector<dtls::Buffer> details;
  const dtls::Buffer head = to_bytes(head_cbor(sfu));
  std::size_t size = kSfuMagic.size() + 4 + head.size();
  for (const MovedSession& session : sfu.sessions) {
    details.push_back(to_bytes(session_cbor(session)));
    size += 8 + details.back().size() + session.transport.size();
  }
  dtls::Buffer out;
  out.reserve(size);  // so that no copy of a secret stays behind
  append(out, std::as_bytes(std::span(kSfuMagic)));
  append_sized(out, head);
  for (std::size_t i = 0; i < details.size(); ++i) {
    append_sized(out, details[i]);
    append_sized(out, sfu.sessions[i].transport.bytes());
  }
  return dtls::SecretBytes(std::move(out));
}

tl::expected<MovedSfu, std::string> decode_moved_sfu(dtls::Bytes bytes) {
  // The library throws where CBOR or a field is not what it should be.
  try {
    return read_sfu(PartReader(bytes));
  } catch (const std::exception& error) {
    return tl::unexpected<std::string>(error.what());
  }
}

}  // namespace sluice::interop::sfu
