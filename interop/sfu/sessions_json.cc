#include "sfu/sessions_json.h"

#include <chrono>

#include <nlohmann/json.hpp>

namespace sluice::interop::sfu {
namespace {

using Json = nlohmann::ordered_json;

double milliseconds(rtp::Duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

Json to_json(const Track& track) {
  const auto& reception = track.reception();
  return {{"kind", to_string(track.format().kind)},
          {"codec", track.format().name},
          {"packets", reception.received()},
          {"bytes", track.bytes()},
          {"lost", reception.lost()},
          {"jitter_ms", milliseconds(reception.jitter())},
          {"receivers", track.receivers()}};
}

Json to_json(const ViewerStream& stream) {
  constexpr double kWhole = 256;
  return {{"kind", to_string(stream.agreed.kind)},
          {"seat", stream.agreed.seat},
          {"codec", stream.track != nullptr ? Json(stream.track->format().name) : Json()},
          {"packets", stream.stream.sent().packets},
          {"bytes", stream.stream.sent().payload_bytes},
          {"fraction_lost", stream.fraction_lost / kWhole},
          {"rtt_ms", stream.round_trip ? Json(milliseconds(*stream.round_trip)) : Json()}};
}

Json to_json(const Session& session, dtls::Instant now) {
  Json json = {
      {"id", session.id.substr(0, 8)},
      {"role", session.publisher ? "publisher" : "viewer"},
      {"room", session.room->name()},
      {"address", session.address},
      {"state", session.is_connected ? "connected" : "connecting"},
      {"seconds", std::chrono::duration_cast<std::chrono::seconds>(now - session.made_at).count()}};
  Json media = Json::array();
  if (session.publisher) {
    for (const Track& track : session.publisher->tracks()) media.push_back(to_json(track));
  } else {
    for (const auto& stream : session.viewer->streams()) media.push_back(to_json(stream));
  }
  json[session.publisher ? "tracks" : "streams"] = std::move(media);
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

Json to_json(const Counters& counters) {
  return {{"publishers", counters.publishers},
          {"viewers", counters.viewers},
          {"rooms", counters.rooms},
          {"refused", by_name(counters.refused, kRefusalNames)},
          {"ended", by_name(counters.ended, kEndNames)},
          {"ice_restarts", counters.ice_restarts},
          {"ice_refused", counters.ice_refused},
          {"rtp_received", counters.rtp_received},
          {"rtp_dropped", counters.rtp_dropped},
          {"malformed", counters.malformed},
          {"key_frames_needed", counters.key_frames_needed},
          {"key_frames_asked", counters.key_frames_asked},
          {"nacked", counters.nacked},
          {"repeated", counters.repeated},
          {"not_cached", counters.not_cached},
          {"over_budget", counters.over_budget},
          {"rtcp_sent", counters.rtcp_sent},
          {"rtcp_not_sent", counters.rtcp_not_sent},
          {"forwarded", to_json(counters.forwarded)}};
}

}  // namespace

std::string sessions_json(const Sfu& sfu, dtls::Instant now) {
  Json rooms = Json::array();
  for (const auto& [name, room] : sfu.rooms()) {
    rooms.push_back(
        {{"name", name}, {"publishers", room->publishers()}, {"viewers", room->viewers()}});
  }
  Json sessions = Json::array();
  for (const auto& [handle, session] : sfu.sessions()) sessions.push_back(to_json(session, now));
  return Json{{"rooms", rooms}, {"sessions", sessions}, {"counters", to_json(sfu.counters())}}.dump(
      2);
}

}  // namespace sluice::interop::sfu
