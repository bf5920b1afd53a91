#include "sfu/operations/sessions_json.h"

#include <chrono>
#include <numeric>

#include <nlohmann/json.hpp>

#include "sfu/operations/counter_table.h"

namespace sluice::interop::sfu {
namespace {

using Json = nlohmann::ordered_json;

double milliseconds(rtp::Duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

Json to_json(const Layer& layer, dtls::Instant now) {
  const auto& reception = layer.reception();
  return {{"rid", layer.rid()},
          {"packets", reception.received()},
          {"bytes", layer.bytes()},
          {"bits_per_second", layer.bits_per_second(now)},
          {"lost", reception.lost()},
          {"jitter_ms", milliseconds(reception.jitter())},
          {"receivers", layer.receivers()}};
}

Json to_json(const Track& track, dtls::Instant now) {
  Json layers = Json::array();
  for (const Layer& layer : track.layers()) layers.push_back(to_json(layer, now));
  return {{"kind", to_string(track.format().kind)},
          {"codec", track.format().name},
          {"layers", std::move(layers)}};
}

Json to_json(const ViewerStream& stream) {
  constexpr double kWhole = 256;
  const Layer* const shown = stream.subscription.shown;
  return {{"kind", to_string(stream.agreed.kind)},
          {"seat", stream.agreed.seat},
          {"codec", stream.track != nullptr ? Json(stream.track->format().name) : Json()},
          {"rid", shown != nullptr ? Json(shown->rid()) : Json()},
          {"packets", stream.stream.sent().packets},
          {"bytes", stream.stream.sent().payload_bytes},
          {"fraction_lost", stream.fraction_lost / kWhole},
          {"rtt_ms", stream.round_trip ? Json(milliseconds(*stream.round_trip)) : Json()}};
}

Json to_json(const DataSession& data) {
  const auto statistics = data.statistics();
  const auto& dropped = statistics.dropped;
  return {{"state", data.state()},
          {"channels", data.channels()},
          {"messages_received", statistics.messages_received},
          {"messages_sent", statistics.messages_sent},
          {"bytes_received", statistics.message_bytes_received},
          {"bytes_sent", statistics.message_bytes_sent},
          {"dropped", std::accumulate(dropped.begin(), dropped.end(), std::uint64_t{0})}};
}

Json to_json(const Session& session, dtls::Instant now) {
  Json json = {
      {"id", session.id.substr(0, 8)},
      {"role", role_of(session)},
      {"room", session.room->name()},
      {"address", session.address},
      {"state", session.is_connected ? "connected" : "connecting"},
      {"seconds", std::chrono::duration_cast<std::chrono::seconds>(now - session.made_at).count()}};
  Json media = Json::array();
  if (session.publisher) {
    for (const Track& track : session.publisher->tracks()) media.push_back(to_json(track, now));
  } else {
    for (const auto& stream : session.viewer->streams()) media.push_back(to_json(stream));
  }
  json[session.publisher ? "tracks" : "streams"] = std::move(media);
  json["data"] = session.data ? to_json(*session.data) : Json();
  return json;
}

// The publishers of a room that come from other nodes.
Json pulled_json(const Room& room, dtls::Instant now) {
  Json all = Json::array();
  for (const Publisher* publisher : room.all_publishers()) {
    if (publisher->origin().path.empty()) continue;
    Json tracks = Json::array();
    for (const Track& track : publisher->tracks()) tracks.push_back(to_json(track, now));
    all.push_back({{"stream", publisher->origin().id},
                   {"path", publisher->origin().path},
                   {"tracks", std::move(tracks)}});
  }
  return all;
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

}  // namespace

std::string sessions_json(const Sfu& sfu, dtls::Instant now) {
  Json rooms = Json::array();
  for (const auto& [name, room] : sfu.rooms()) {
    rooms.push_back({{"name", name},
                     {"publishers", room->publishers()},
                     {"viewers", room->viewers()},
                     {"pulled", pulled_json(*room, now)}});
  }
  Json sessions = Json::array();
  for (const auto& [handle, session] : sfu.sessions()) sessions.push_back(to_json(session, now));
  const Json json = {
      {"rooms", rooms}, {"sessions", sessions}, {"counters", to_json(sfu.counters())}};
  // An exception, such as for text that is no UTF-8, would end the thread of the media.
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace sluice::interop::sfu
