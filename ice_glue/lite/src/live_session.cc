#include "live_session.h"

#include <algorithm>
#include <span>
#include <variant>

#include <sluice/ice_lite/session_state.h>

#include "recent_checks.h"
#include "wire/state_reader.h"
#include "wire/writer.h"

namespace sluice::ice_lite {
namespace {

using dtls::Bytes;
using dtls::Duration;
using dtls::wire::StateReader;

constexpr std::uint8_t kFormat = 1;
constexpr std::size_t kMostTuples = 1024;  // ServerOptions::max_tuples_per_session
constexpr std::uint64_t kMostTime = INT64_MAX;
// Restarts that are still to come have higher ones.
constexpr IceGeneration kMostGeneration = IceGeneration{1} << 31;
// Of the session.
constexpr std::uint8_t kHasNewer = 1;
constexpr std::uint8_t kHasRtt = 2;
constexpr std::uint8_t kIsRttSettled = 4;
constexpr std::uint8_t kHasLost = 8;
// Of a tuple.
constexpr std::uint8_t kIsNominated = 1;
constexpr std::uint8_t kIsTold = 2;
constexpr std::uint8_t kIsSelected = 4;
constexpr std::uint8_t kIpv4 = 4;
constexpr std::uint8_t kIpv6 = 6;

// The most that each takes, so that nothing is reallocated.
constexpr std::size_t kCredentials = 3 * (2 + 256) + 4;
constexpr std::size_t kEndpoint = 1 + 16 + 2;
constexpr std::size_t kPath = 4 + 2 * kEndpoint;
constexpr std::size_t kTuple = kPath + 3 * 4 + 3 * 8 + 1;
constexpr std::size_t kHead = 2 + 4 + 8 + kPath + 8 + 1 + 4 * RecentChecks::kMost + 2 + 4;

// ---- writing

void put(dtls::wire::Writer& out, Bytes bytes) {
  const auto vector = out.vector16();
  out.bytes(bytes);
}
void put(dtls::wire::Writer& out, std::string_view text) {
  put(out, std::as_bytes(std::span(text)));
}
void put(dtls::wire::Writer& out, Duration time) {
  out.u64(static_cast<std::uint64_t>(std::max(time, Duration::zero()).count()));
}

void put(dtls::wire::Writer& out, const LiveCredentials& credentials) {
  put(out, credentials.ufrag);
  put(out, credentials.pwd);
  put(out, credentials.remote_ufrag);
  out.u32(credentials.generation);
}

void put(dtls::wire::Writer& out, const dtls::UdpEndpoint& endpoint) {
  out.u8(std::holds_alternative<dtls::Ipv4Address>(endpoint.address) ? kIpv4 : kIpv6);
  std::visit([&](const auto& address) { out.bytes(std::as_bytes(std::span(address))); },
             endpoint.address);
  out.u16(endpoint.port);
}

void put(dtls::wire::Writer& out, const dtls::UdpPath& path) {
  out.code(path.socket);
  put(out, path.peer);
  put(out, path.own);
}

void put(dtls::wire::Writer& out, const LiveTuple& tuple, bool is_selected) {
  put(out, tuple.path);
  out.u32(tuple.checks.generation);
  out.u32(tuple.checks.nomination);
  out.u32(tuple.checks.priority);
  for (const Duration age : {tuple.since_check, tuple.since_added, tuple.since_heard}) {
    put(out, age);
  }
  out.u8((tuple.is_nominated ? kIsNominated : 0U) | (tuple.is_told ? kIsTold : 0U) |
         (is_selected ? kIsSelected : 0U));
}

// ---- reading

std::string_view take_text(StateReader& in) {
  const Bytes bytes = in->vector16();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
Duration take_time(StateReader& in) {
  const std::uint64_t value = in->u64();
  in.expect(value <= kMostTime, "a time out of range");
  return Duration(static_cast<Duration::rep>(value & kMostTime));
}
std::uint8_t take_flags(StateReader& in, std::uint8_t highest) {
  const std::uint8_t flags = in->u8();
  in.expect(flags < 2 * highest, "an unknown flag");
  return flags;
}

LiveCredentials take_credentials(StateReader& in) {
  LiveCredentials taken;
  taken.ufrag = take_text(in);
  in.expect(is_valid_ufrag(taken.ufrag), "a ufrag");
  const std::string_view pwd = take_text(in);
  in.expect(is_valid_pwd(pwd), "a password");
  taken.pwd = std::as_bytes(std::span(pwd));
  taken.remote_ufrag = take_text(in);
  in.expect(taken.remote_ufrag.empty() || is_valid_ufrag(taken.remote_ufrag), "a remote ufrag");
  taken.generation = in->u32();
  in.expect(taken.generation > 0 && taken.generation <= kMostGeneration,
            "a generation out of range");
  return taken;
}

template <class Address>
Address take_address(StateReader& in) {
  Address address{};
  const Bytes bytes = in->bytes(address.size());
  std::ranges::transform(bytes, address.begin(),
                         [](std::byte byte) { return std::to_integer<std::uint8_t>(byte); });
  return address;
}

dtls::UdpEndpoint take_endpoint(StateReader& in) {
  dtls::UdpEndpoint endpoint;
  const std::uint8_t family = in->u8();
  in.expect(family == kIpv4 || family == kIpv6, "an address family");
  if (family == kIpv6) {
    endpoint.address = take_address<dtls::Ipv6Address>(in);
  } else {
    endpoint.address = take_address<dtls::Ipv4Address>(in);
  }
  endpoint.port = in->u16();
  return endpoint;
}

dtls::UdpPath take_path(StateReader& in) {
  dtls::UdpPath path;
  path.socket = in->code<dtls::SocketId>();
  path.peer = take_endpoint(in);
  path.own = take_endpoint(in);
  return path;
}

void take_tuple(StateReader& in, LiveSession& live) {
  LiveTuple tuple;
  tuple.path = take_path(in);
  tuple.checks.generation = in->u32();
  tuple.checks.nomination = in->u32();
  tuple.checks.priority = in->u32();
  tuple.since_check = take_time(in);
  tuple.since_added = take_time(in);
  tuple.since_heard = take_time(in);
  const std::uint8_t flags = take_flags(in, kIsSelected);
  tuple.is_nominated = (flags & kIsNominated) != 0;
  tuple.is_told = (flags & kIsTold) != 0;
  in.expect(std::ranges::find(live.tuples, tuple.path, &LiveTuple::path) == live.tuples.end(),
            "a path that comes twice");
  in.expect(tuple.checks.generation > 0 && tuple.checks.generation <= live.newest_generation(),
            "a generation out of range");
  in.expect(!tuple.is_told || tuple.checks.generation >= live.least_generation,
            "a path of a former association");
  if ((flags & kIsSelected) != 0) {
    // It need not be nominated: newer credentials may have begun anew there.
    in.expect(!live.selected, "two selected paths");
    live.selected = live.tuples.size();
  }
  live.tuples.push_back(tuple);
}

void take_session(StateReader& in, LiveSession& live) {
  const std::uint8_t flags = take_flags(in, kHasLost);
  live.credentials = take_credentials(in);
  if ((flags & kHasNewer) != 0) {
    live.newer = take_credentials(in);
    in.expect(live.newer->ufrag != live.credentials.ufrag, "a ufrag that comes twice");
    in.expect(live.newer->generation > live.credentials.generation, "a generation out of range");
  }
  live.least_generation = in->u32();
  in.expect(live.least_generation > 0 && live.least_generation <= live.newest_generation(),
            "a generation out of range");
  live.is_rtt_settled = (flags & kIsRttSettled) != 0;
  if ((flags & kHasRtt) != 0) live.rtt = take_time(in);
  if ((flags & kHasLost) != 0) {
    live.lost.emplace().path = take_path(in);
    live.lost->since_check = take_time(in);
  }
  std::size_t checks = in->u8();
  in.expect(checks <= RecentChecks::kMost, "a count out of range");
  for (; checks > 0 && in.ok(); --checks) live.recent.push_back(in->u32());
  std::size_t tuples = in->u16();
  in.expect(tuples <= kMostTuples, "a count out of range");
  for (; tuples > 0 && in.ok(); --tuples) take_tuple(in, live);
  in.expect(!live.lost || !live.selected, "a selected path beside one that was lost");
}

}  // namespace

dtls::Buffer LiveSession::encode() const {
  dtls::Buffer buffer;
  // The secrets of the session must not stay behind in memory that grew.
  buffer.reserve(kHead + 2 * kCredentials + tuples.size() * kTuple + transport.size());
  dtls::wire::Writer out(buffer, dtls::wire::Growth::refused);
  out.u8(kFormat);
  out.u8((newer ? kHasNewer : 0U) | (rtt ? kHasRtt : 0U) | (is_rtt_settled ? kIsRttSettled : 0U) |
         (lost ? kHasLost : 0U));
  put(out, credentials);
  if (newer) put(out, *newer);
  out.u32(least_generation);
  if (rtt) put(out, *rtt);
  if (lost) {
    put(out, lost->path);
    put(out, lost->since_check);
  }
  out.u8(recent.size());
  for (const std::uint32_t part : recent) out.u32(part);
  out.u16(tuples.size());
  for (std::size_t i = 0; i < tuples.size(); ++i) put(out, tuples[i], selected == i);
  out.u32(transport.size());
  out.bytes(transport);
  return buffer;
}

dtls::Result<LiveSession> LiveSession::decode(Bytes bytes) {
  StateReader in(bytes);
  LiveSession live;
  in.expect(in->u8() == kFormat, "another format");
  take_session(in, live);
  live.transport = in->bytes(in->u32());
  if (const auto failure = in.failure(); !failure.empty()) {
    return tl::unexpected(dtls::Error{.code = dtls::Errc::decode_error, .detail = failure});
  }
  return live;
}

dtls::Result<SessionState> SessionState::parse(Bytes bytes) {
  const auto live = LiveSession::decode(bytes);
  if (!live) return dtls::forward_error(live);
  if (const auto transport = transport::TransportState::parse(live->transport); !transport) {
    return dtls::forward_error(transport);
  }
  return SessionState(dtls::Buffer(bytes.begin(), bytes.end()));
}

}  // namespace sluice::ice_lite
