#include "demo/statistics_json.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>

#include "demo/echo_session.h"

namespace sluice::interop::demo {
namespace {

// Keeps keys in the order in which they are written.
using Json = nlohmann::ordered_json;

// Rounded to 0.01 ms.
Json milliseconds(const std::optional<dtls::Duration>& duration) {
  if (!duration) return nullptr;
  return std::round(static_cast<double>(duration->count()) / 10) / 100;
}

template <class Reason, class Counters>
Json by_reason(const Counters& counters) {
  Json object = Json::object();
  for (std::size_t i = 0; i < counters.size(); ++i) {
    if (counters[i] != 0) object[std::string{to_string(static_cast<Reason>(i))}] = counters[i];
  }
  return object;
}

template <class Counters>
std::uint64_t total(const Counters& counters) {
  return std::accumulate(counters.begin(), counters.end(), std::uint64_t{0});
}

Json dtls_json(const CallTransport& transport) {
  Json json = {{"version", nullptr},      {"cipher_suite", nullptr},
               {"group", nullptr},        {"role", nullptr},
               {"srtp_profile", nullptr}, {"cryptex", to_string(transport.cryptex())}};
  if (const auto info = transport.info()) {
    json["version"] = to_string(info->version);
    json["cipher_suite"] = to_string(info->cipher_suite);
    if (info->group) json["group"] = to_string(*info->group);
    json["role"] = to_string(info->role);
    if (info->srtp_profile) json["srtp_profile"] = to_string(*info->srtp_profile);
    json["extended_master_secret"] = info->extended_master_secret;
  }
  if (const auto statistics = transport.dtls_statistics()) {
    // Null also where an earlier process made the handshake.
    json["handshake_ms"] = milliseconds(statistics->handshake_duration);
    json["records_in"] = statistics->records_received;
    json["records_out"] = statistics->records_sent;
    json["flights_retransmitted"] = statistics->flights_retransmitted;
    json["discarded"] = by_reason<dtls::Discard>(statistics->discarded);
  }
  return json;
}

Json ice_json(const CallTransport& transport) {
  const PathFigures path = transport.path_figures();
  Json json = {{"state", path.state}, {"pair", nullptr}, {"dtls_in_stun", path.dtls_in_stun}};
  if (!path.pair.empty()) json["pair"] = path.pair;
  return json;
}

Json packets_json(const CallTransport& transport) {
  const PathFigures path = transport.path_figures();
  const auto media = transport.media_statistics();
  const auto dtls = transport.dtls_statistics();
  const auto refused = total(media.media_refused);
  return {{"in", path.datagrams_received},
          {"out", path.datagrams_sent},
          {"rtp_in", media.rtp_received},
          {"rtp_out", media.rtp_sent},
          {"rtcp_in", media.rtcp_received},
          {"rtcp_out", media.rtcp_sent},
          {"auth_failures", media.count(srtp::PacketError::authentication_failed)},
          {"replayed", media.count(srtp::PacketError::replayed)},
          {"discarded", total(media.dropped) + refused + (dtls ? dtls->total_discarded() : 0)},
          {"srtp_refused", by_reason<srtp::PacketError>(media.media_refused)},
          {"dropped", by_reason<transport::Drop>(media.dropped)}};
}

Json data_json(const ChannelEcho& channels) {
  const auto statistics = channels.statistics();
  return {{"channels_open", channels.open_channels()},
          {"channels_opened", statistics.channels_opened},
          {"messages_echoed", statistics.messages_echoed},
          {"bytes_echoed", statistics.bytes_echoed},
          {"messages_dropped", statistics.messages_dropped},
          {"sctp_handshake_packets", statistics.handshake_packets}};
}

}  // namespace

std::string session_statistics_json(const SessionFigures& figures) {
  Json json = {{"id", figures.id},
               {"state", figures.state},
               {"reason", nullptr},
               {"age_ms", milliseconds(figures.age)},
               {"setup_ms",
                {{"ice", milliseconds(figures.times.ice)},
                 {"dtls", milliseconds(figures.times.dtls)},
                 {"media", milliseconds(figures.times.media)},
                 {"data", milliseconds(figures.times.data)}}}};
  if (!figures.reason.empty()) json["reason"] = figures.reason;
  std::optional<dtls::Duration> handshake_rtt;
  if (figures.transport != nullptr) {
    json["ice"] = ice_json(*figures.transport);
    json["dtls"] = dtls_json(*figures.transport);
    json["packets"] = packets_json(*figures.transport);
    if (const auto dtls = figures.transport->dtls_statistics()) handshake_rtt = dtls->rtt;
  }
  json["rtt_ms"] = {{"handshake", milliseconds(handshake_rtt)},
                    {"media", milliseconds(figures.media.rtt)}};
  json["media"] = {{"rtp_echoed", figures.media.rtp_echoed},
                   {"rtp_dropped", figures.media.rtp_dropped},
                   {"feedback_forwarded", figures.media.feedback_forwarded},
                   {"reports_sent", figures.media.reports_sent}};
  json["data"] = nullptr;
  if (figures.channels != nullptr) json["data"] = data_json(*figures.channels);
  // Texts from peers may not be UTF-8: invalid bytes are replaced, since dump() would throw.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace sluice::interop::demo
