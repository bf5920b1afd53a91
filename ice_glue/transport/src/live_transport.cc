#include "live_transport.h"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

#include <sluice/srtp/state.h>
#include <sluice/transport/transport_state.h>

#include "wire/state_reader.h"

namespace sluice::transport {
namespace {

using dtls::Buffer;
using dtls::Bytes;
using dtls::PathId;
using dtls::wire::StateReader;

constexpr std::byte kFormat{1};
// Of a session whose path is gone: it sends when ICE selects another.
constexpr PathId kNoPath{UINT32_MAX};
constexpr std::size_t kMaxPaths = 1024;  // MediaTransportOptions::max_paths
constexpr std::uint64_t kMaxRtt = INT64_MAX;
constexpr std::uint64_t kHasSelected = 1;
constexpr std::uint64_t kHasMtu = 2;
constexpr std::uint64_t kHasRtt = 4;
constexpr std::uint64_t kHasSrtp = 8;
constexpr std::uint64_t kCryptexUnit = 16;  // the mode takes two bits
constexpr std::uint64_t kFlagsEnd = 64;

void put(Buffer& out, std::uint64_t value, std::size_t size) {
  for (std::size_t i = size; i-- > 0;) out.push_back(static_cast<std::byte>(value >> 8 * i & 0xff));
}
void put(Buffer& out, PathId path) { put(out, static_cast<std::uint32_t>(path), 4); }
void put(Buffer& out, Bytes bytes) {
  put(out, bytes.size(), 4);
  out.insert(out.end(), bytes.begin(), bytes.end());
}

PathId take_path(StateReader& in) { return in->code<PathId>(); }
Bytes take_bytes(StateReader& in) { return in->bytes(in->u32()); }

void take_paths(StateReader& in, LiveTransport& live) {
  std::size_t count = in->u16();
  in.expect(count <= kMaxPaths, "a count out of range");
  for (; count > 0 && in.ok(); --count) {
    const auto path = take_path(in);
    if (std::ranges::find(live.paths, path) != live.paths.end()) in.fail("a path that comes twice");
    live.paths.push_back(path);
  }
  if (live.selected && std::ranges::find(live.paths, *live.selected) == live.paths.end()) {
    in.fail("a selected path that is not validated");
  }
}

}  // namespace

Buffer LiveTransport::encode() const {
  Buffer out;
  // The secrets of the session must not stay behind in memory that grew.
  out.reserve(64 + 4 * paths.size() + session.size() + (srtp ? srtp->size() : 0));
  out.push_back(kFormat);
  put(out,
      (selected ? kHasSelected : 0) | (mtu ? kHasMtu : 0) | (rtt ? kHasRtt : 0) |
          (srtp ? kHasSrtp : 0) | static_cast<std::uint64_t>(cryptex) * kCryptexUnit,
      1);
  put(out, last_path);
  if (selected) put(out, *selected);
  if (mtu) put(out, *mtu, 4);
  if (rtt) put(out, static_cast<std::uint64_t>(rtt->count()), 8);
  put(out, paths.size(), 2);
  for (const auto path : paths) put(out, path);
  put(out, session);
  if (srtp) put(out, *srtp);
  return out;
}

dtls::Result<LiveTransport> LiveTransport::decode(Bytes bytes) {
  StateReader in(bytes);
  LiveTransport live;
  in.expect(in->u8() == std::to_integer<std::uint8_t>(kFormat), "another format");
  const std::uint64_t flags = in->u8();
  in.expect(flags < kFlagsEnd, "an unknown flag");
  live.cryptex = static_cast<srtp::Cryptex>(flags / kCryptexUnit);
  live.last_path = take_path(in);
  if ((flags & kHasSelected) != 0) live.selected = take_path(in);
  if ((flags & kHasMtu) != 0) live.mtu = in->u32();
  if ((flags & kHasRtt) != 0) {
    const auto rtt = in->u64();
    in.expect(rtt <= kMaxRtt, "an RTT out of range");
    live.rtt = dtls::Duration(static_cast<std::int64_t>(rtt));
  }
  take_paths(in, live);
  live.session = take_bytes(in);
  if ((flags & kHasSrtp) != 0) live.srtp = take_bytes(in);
  if (const auto failure = in.failure(); !failure.empty()) {
    return tl::unexpected(dtls::Error{.code = dtls::Errc::decode_error, .detail = failure});
  }
  return live;
}

dtls::Result<TransportState> TransportState::parse(Bytes bytes) {
  const auto live = LiveTransport::decode(bytes);
  if (!live) return dtls::forward_error(live);
  if (const auto session = dtls::SessionState::parse(live->session); !session) {
    return dtls::forward_error(session);
  }
  if (live->srtp) {
    if (const auto srtp = srtp::SrtpState::parse(*live->srtp); !srtp) {
      return dtls::forward_error(srtp);
    }
  }
  return TransportState(Buffer(bytes.begin(), bytes.end()));
}

dtls::Result<dtls::SessionState> TransportState::session() const {
  return LiveTransport::decode(bytes()).and_then(
      [](const LiveTransport& live) { return dtls::SessionState::parse(live.session); });
}

dtls::Result<TransportState> TransportState::with_paths(std::span<const PathNumber> numbers) const {
  for (auto each = numbers.begin(); each != numbers.end(); ++each) {
    const auto is_same = [&](const PathNumber& other) {
      return other.before == each->before || other.now == each->now;
    };
    if (std::any_of(std::next(each), numbers.end(), is_same)) {
      return tl::unexpected(
          dtls::Error{.code = dtls::Errc::invalid_argument, .detail = "a path that comes twice"});
    }
  }
  auto live = LiveTransport::decode(bytes());
  if (!live) return dtls::forward_error(live);
  const auto renumbered = [&](PathId path) -> std::optional<PathId> {
    const auto found = std::ranges::find(numbers, path, &PathNumber::before);
    return found != numbers.end() ? std::optional(found->now) : std::nullopt;
  };
  live->last_path = renumbered(live->last_path).value_or(kNoPath);
  if (live->selected) live->selected = renumbered(*live->selected);
  std::vector<PathId> paths;
  for (const auto path : live->paths) {
    if (const auto now = renumbered(path)) paths.push_back(*now);
  }
  live->paths = std::move(paths);
  return TransportState(live->encode());
}

std::string_view to_string(ExportBlocked reason) {
  switch (reason) {
    case ExportBlocked::not_connected:
      return "not connected";
    case ExportBlocked::outputs_pending:
      return "outputs are to be polled";
    case ExportBlocked::handshake_unconfirmed:
      return "the server has not acknowledged our Finished yet";
    case ExportBlocked::restart_under_way:
      return "the association from before a restart still serves";
  }
  return "unknown";
}

}  // namespace sluice::transport
