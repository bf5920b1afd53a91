#include "live_transport.h"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

#include <sluice/srtp/state.h>
#include <sluice/transport/transport_state.h>

namespace sluice::transport {
namespace {

using dtls::Buffer;
using dtls::Bytes;
using dtls::PathId;

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

// The first failure makes all that follows empty.
class StateReader {
 public:
  explicit StateReader(Bytes bytes) : rest_(bytes) {}

  std::uint64_t number(std::size_t size) {
    std::uint64_t value = 0;
    for (const std::byte byte : take(size)) value = value << 8 | std::to_integer<unsigned>(byte);
    return value;
  }
  PathId path() { return PathId{static_cast<std::uint32_t>(number(4))}; }
  Bytes bytes() { return take(static_cast<std::size_t>(number(4))); }

  void fail(std::string_view why) {
    if (failure_.empty()) failure_ = why;
    rest_ = {};
  }
  [[nodiscard]] std::string_view failure() const { return failure_; }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }

 private:
  Bytes take(std::size_t size) {
    if (size > rest_.size()) {
      fail("truncated");
      return {};
    }
    const Bytes taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }

  Bytes rest_;
  std::string_view failure_ = {};
};

void take_paths(StateReader& in, LiveTransport& live) {
  auto count = in.number(2);
  if (count > kMaxPaths) in.fail("a count out of range");
  for (; count > 0 && in.failure().empty(); --count) {
    const auto path = in.path();
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
  if (in.number(1) != std::to_integer<std::uint64_t>(kFormat)) in.fail("another format");
  const auto flags = in.number(1);
  if (flags >= kFlagsEnd) in.fail("an unknown flag");
  live.cryptex = static_cast<srtp::Cryptex>(flags / kCryptexUnit);
  live.last_path = in.path();
  if ((flags & kHasSelected) != 0) live.selected = in.path();
  if ((flags & kHasMtu) != 0) live.mtu = static_cast<std::uint32_t>(in.number(4));
  if ((flags & kHasRtt) != 0) {
    const auto rtt = in.number(8);
    if (rtt > kMaxRtt) in.fail("an RTT out of range");
    live.rtt = dtls::Duration(static_cast<std::int64_t>(rtt));
  }
  take_paths(in, live);
  live.session = in.bytes();
  if ((flags & kHasSrtp) != 0) live.srtp = in.bytes();
  if (in.failure().empty() && !in.at_end()) in.fail("bytes that are left over");
  if (!in.failure().empty()) {
    return tl::unexpected(dtls::Error{.code = dtls::Errc::decode_error, .detail = in.failure()});
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
