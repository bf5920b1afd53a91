#include "sfu/operations/sessions_snapshot.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "sfu/operations/counter_table.h"

namespace sluice::interop::sfu {
namespace {

TrackSnapshot look_at(const Track& track, dtls::Instant now) {
  TrackSnapshot seen{.kind = track.format().kind, .codec = track.format().name, .layers = {}};
  seen.layers.reserve(track.layers().size());
  for (const Layer& layer : track.layers()) {
    const auto& reception = layer.reception();
    seen.layers.push_back({.rid = layer.rid(),
                           .packets = reception.received(),
                           .bytes = layer.bytes(),
                           .bits_per_second = layer.rate().bits_per_second(now),
                           .lost = reception.lost(),
                           .jitter = reception.jitter(),
                           .receivers = layer.receivers()});
  }
  return seen;
}

StreamSnapshot look_at(const ViewerStream& stream) {
  StreamSnapshot seen{.kind = stream.agreed.kind,
                      .seat = stream.agreed.seat,
                      .codec = {},
                      .rid = {},
                      .packets = stream.stream.sent().packets,
                      .bytes = stream.stream.sent().payload_bytes,
                      .fraction_lost = stream.fraction_lost,
                      .round_trip = stream.round_trip};
  if (stream.track != nullptr) seen.codec = stream.track->format().name;
  if (stream.subscription.shown != nullptr) seen.rid = stream.subscription.shown->rid();
  return seen;
}

SessionSnapshot look_at(const Session& session, dtls::Instant now) {
  SessionSnapshot seen{.worker = {},
                       .number = {},
                       .id = session.id.substr(0, 8),
                       .room = session.room->name(),
                       .address = session.address,
                       .role = role_of(session),
                       .is_publisher = session.publisher != nullptr,
                       .is_connected = session.is_connected,
                       .age = now - session.made_at,
                       .tracks = {},
                       .streams = {},
                       .data = {}};
  if (session.publisher) {
    for (const Track& track : session.publisher->tracks()) {
      seen.tracks.push_back(look_at(track, now));
    }
  } else {
    seen.streams.reserve(session.viewer->streams().size());
    for (const ViewerStream& stream : session.viewer->streams()) {
      seen.streams.push_back(look_at(stream));
    }
  }
  if (session.data) {
    seen.data = DataSnapshot{.state = session.data->state(),
                             .channels = session.data->channels(),
                             .statistics = session.data->statistics()};
  }
  return seen;
}

RoomSnapshot look_at(const Sfu& sfu, const Room& room, dtls::Instant now) {
  RoomSnapshot seen{
      .name = room.name(), .publishers = room.publishers(), .viewers = room.viewers()};
  for (const Publisher* publisher : room.all_publishers()) {
    if (publisher->origin().path.empty()) continue;
    PulledSnapshot& pulled =
        seen.pulled.emplace_back(PulledSnapshot{.worker = {},
                                                .number = {},
                                                .stream = publisher->origin().id,
                                                .path = publisher->origin().path,
                                                .tracks = {}});
    for (const Track& track : publisher->tracks()) pulled.tracks.push_back(look_at(track, now));
    if (sfu.mirrors() == nullptr) continue;
    pulled.worker = sfu.worker();
    pulled.number = sfu.mirrors()->number_of(*publisher);
  }
  return seen;
}

}  // namespace

namespace {

// Receivers of mirrors are those of the publisher.
template <class Published>
void add_receivers(Published& publisher, const Mirrors::Receivers& mirrored) {
  const auto found = mirrored.find(publisher.number);
  if (found == mirrored.end()) return;
  for (std::size_t i = 0; i < std::min(publisher.tracks.size(), found->second.size()); ++i) {
    auto& layers = publisher.tracks[i].layers;
    const auto& more = found->second[i];
    for (std::size_t j = 0; j < std::min(layers.size(), more.size()); ++j) {
      layers[j].receivers += more[j];
    }
  }
}

// Each worker has all publishers of a room, and its own viewers.
void add_room(SessionsSnapshot& sum, const RoomSnapshot& room) {
  const auto known = std::ranges::find(sum.rooms, room.name, &RoomSnapshot::name);
  if (known == sum.rooms.end()) return sum.rooms.push_back(room);
  known->publishers = std::max(known->publishers, room.publishers);
  known->viewers += room.viewers;
  std::ranges::copy(room.pulled, std::back_inserter(known->pulled));
}

}  // namespace

SessionsSnapshot joined(std::vector<SessionsSnapshot> parts) {
  SessionsSnapshot sum = std::move(parts.front());
  for (std::size_t i = 1; i < parts.size(); ++i) {
    for (const RoomSnapshot& room : parts[i].rooms) add_room(sum, room);
    std::ranges::move(parts[i].sessions, std::back_inserter(sum.sessions));
    add_counters(sum.counters, parts[i].counters);
  }
  for (const SessionsSnapshot& part : parts) {
    for (SessionSnapshot& session : sum.sessions) {
      if (session.is_publisher) add_receivers(session, part.mirrored);
    }
    for (RoomSnapshot& room : sum.rooms) {
      for (PulledSnapshot& pulled : room.pulled) add_receivers(pulled, part.mirrored);
    }
  }
  return sum;
}

SessionsSnapshot take_snapshot(const Sfu& sfu, dtls::Instant now) {
  SessionsSnapshot seen;
  seen.rooms.reserve(sfu.rooms().size());
  for (const auto& [name, room] : sfu.rooms()) {
    seen.rooms.push_back(look_at(sfu, *room, now));
  }
  seen.sessions.reserve(sfu.sessions().size());
  for (const auto& [handle, session] : sfu.sessions()) {
    seen.sessions.push_back(look_at(session, now));
    if (sfu.mirrors() == nullptr) continue;
    seen.sessions.back().worker = sfu.worker();
    if (session.publisher) {
      seen.sessions.back().number = sfu.mirrors()->number_of(*session.publisher);
    }
  }
  if (sfu.mirrors() != nullptr) seen.mirrored = sfu.mirrors()->receivers();
  seen.counters = sfu.counters();
  return seen;
}

}  // namespace sluice::interop::sfu
