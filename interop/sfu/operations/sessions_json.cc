#include "sfu/operations/sessions_json.h"

#include <chrono>
#include <numeric>
#include <utility>

#include <nlohmann/json.hpp>

#include "sfu/operations/counter_table.h"

namespace sluice::interop::sfu {
namespace {

using Json = nlohmann::ordered_json;

double milliseconds(rtp::Duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

Json to_json(const LayerSnapshot& layer) {
  return {{"rid", layer.rid},
          {"packets", layer.packets},
          {"bytes", layer.bytes},
          {"bits_per_second", layer.bits_per_second},
          {"lost", layer.lost},
          {"jitter_ms", milliseconds(layer.jitter)},
          {"receivers", layer.receivers}};
}

Json to_json(const TrackSnapshot& track) {
  Json layers = Json::array();
  for (const LayerSnapshot& layer : track.layers) layers.push_back(to_json(layer));
  return {{"kind", to_string(track.kind)}, {"codec", track.codec}, {"layers", std::move(layers)}};
}

Json to_json(const StreamSnapshot& stream) {
  constexpr double kWhole = 256;
  return {{"kind", to_string(stream.kind)},
          {"seat", stream.seat},
          {"codec", stream.codec ? Json(*stream.codec) : Json()},
          {"rid", stream.rid ? Json(*stream.rid) : Json()},
          {"packets", stream.packets},
          {"bytes", stream.bytes},
          {"fraction_lost", stream.fraction_lost / kWhole},
          {"rtt_ms", stream.round_trip ? Json(milliseconds(*stream.round_trip)) : Json()}};
}

Json to_json(const DataSnapshot& data) {
  const auto& statistics = data.statistics;
  const auto& dropped = statistics.dropped;
  return {{"state", data.state},
          {"channels", data.channels},
          {"messages_received", statistics.messages_received},
          {"messages_sent", statistics.messages_sent},
          {"bytes_received", statistics.message_bytes_received},
          {"bytes_sent", statistics.message_bytes_sent},
          {"dropped", std::accumulate(dropped.begin(), dropped.end(), std::uint64_t{0})}};
}

Json to_json(const SessionSnapshot& session) {
  Json json = {{"id", session.id},
               {"role", session.role},
               {"room", session.room},
               {"address", session.address},
               {"state", session.is_connected ? "connected" : "connecting"},
               {"seconds", std::chrono::duration_cast<std::chrono::seconds>(session.age).count()}};
  if (session.worker) json["worker"] = *session.worker;
  Json media = Json::array();
  for (const TrackSnapshot& track : session.tracks) media.push_back(to_json(track));
  for (const StreamSnapshot& stream : session.streams) media.push_back(to_json(stream));
  json[session.is_publisher ? "tracks" : "streams"] = std::move(media);
  json["data"] = session.data ? to_json(*session.data) : Json();
  return json;
}

Json to_json(const PulledSnapshot& pulled) {
  Json tracks = Json::array();
  for (const TrackSnapshot& track : pulled.tracks) tracks.push_back(to_json(track));
  Json json = {{"stream", pulled.stream}, {"path", pulled.path}, {"tracks", std::move(tracks)}};
  if (pulled.worker) json["worker"] = *pulled.worker;
  return json;
}

template <class Numbers, class Names>
Json by_name(const Numbers& numbers, const Names& names) {
  Json json = Json::object();
  for (std::size_t i = 0; i < names.size(); ++i) json[std::string{names[i]}] = numbers[i];
  return json;
}

Json to_json(const ice_lite::ForwardCounts& counts) {
  Json kept_back = Json::object();
  for (std::size_t i = 0; i < rtp::kNotForwardedReasons; ++i) {
    kept_back[std::string{to_string(static_cast<rtp::NotForwarded>(i))}] = counts.not_forwarded[i];
  }
  Json refused = Json::object();
  for (std::size_t i = 0; i < srtp::kPacketErrors; ++i) {
    refused[std::string{to_string(static_cast<srtp::PacketError>(i))}] = counts.refused[i];
  }
  return {{"packets", counts.packets},
          {"bytes", counts.bytes},
          {"no_room", counts.no_room},
          {"kept_back", kept_back},
          {"refused", refused}};
}

Json to_json(const DataCounters& counters) {
  Json dropped = by_name(counters.dropped, kDataDropNames);
  for (std::size_t i = 0; i < data_channel::kDropReasons; ++i) {
    dropped["sctp_" + std::string{to_string(static_cast<data_channel::Drop>(i))}] =
        counters.dropped_by_associations[i];
  }
  return {{"received", counters.received},
          {"relayed", counters.relayed},
          {"sent", counters.sent},
          {"dropped", std::move(dropped)}};
}

Json to_json(const Counters& counters) {
  Json json = Json::object();
  for (const NamedCounter& counter : kCounters) {
    json[std::string{counter.key}] = counters.*counter.value;
  }
  json["refused"] = by_name(counters.refused, kRefusalNames);
  json["ended"] = by_name(counters.ended, kEndNames);
  json["forwarded"] = to_json(counters.forwarded);
  json["data"] = to_json(counters.data);
  return json;
}

Json to_json(const Exchange::Dropped& dropped) {
  return {{"datagrams_dropped", dropped.datagrams},
          {"tcp_dropped", dropped.tcp},
          {"packets_dropped", dropped.packets},
          {"unknown", dropped.unknown}};
}

}  // namespace

std::string sessions_json(const SessionsSnapshot& snapshot,
                          const std::optional<Exchange::Dropped>& dropped) {
  Json rooms = Json::array();
  for (const RoomSnapshot& room : snapshot.rooms) {
    Json pulled = Json::array();
    for (const PulledSnapshot& each : room.pulled) pulled.push_back(to_json(each));
    rooms.push_back({{"name", room.name},
                     {"publishers", room.publishers},
                     {"viewers", room.viewers},
                     {"pulled", std::move(pulled)}});
  }
  Json sessions = Json::array();
  for (const SessionSnapshot& session : snapshot.sessions) sessions.push_back(to_json(session));
  Json json = {{"rooms", std::move(rooms)},
               {"sessions", std::move(sessions)},
               {"counters", to_json(snapshot.counters)}};
  if (dropped) json["counters"]["between_threads"] = to_json(*dropped);
  // Text of a peer may be no UTF-8, for which the library would throw.
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace sluice::interop::sfu
