// What an IceLiteServer reports.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include <sluice/dtls/path.h>
#include <sluice/ice_lite/session.h>
#include <sluice/transport/media_transport.h>

namespace sluice::ice_lite {

// What the session sends goes over `path` from now on: the peer has nominated it, has moved its
// media there, or it takes the place of one that was lost. Changes that were not polled yet are
// told as one.
struct PathSelected {
  dtls::UdpPath path;
  // The nomination was made with the credentials of restart_ice(): the old ones are gone.
  bool ends_restart = false;
};

// A check with the credentials of another session has come over a path of this one, which was
// silent there for ServerOptions::tuple_hold, and has taken it. If it was the one in use, another
// nominated one takes its place, or else the session sends nothing until the next nomination, and
// has Expired when consent on that path ends.
struct PathTaken {
  dtls::UdpPath path;
  SessionHandle by;
};

// Consent has expired (RFC 7675): the session has no nominated path any more on which a valid check
// has come in the last 30 s, and sends nothing. The next nominating check of the peer revives it
// (PathSelected); restart_ice() asks for one by signalling. Otherwise close() or remove() it: the
// server does not.
struct Expired {
  dtls::UdpPath path;  // the last one
};

enum class EndReason : std::uint8_t {
  closed,          // by close()
  closed_by_peer,  // by its close_notify
  failed,          // for the reason in Ended::error
};
inline constexpr std::size_t kEndReasons = 3;

std::string_view to_string(EndReason reason);

// The last event of a session, but for those that remove() ends. Its handle is no longer valid.
struct Ended {
  EndReason reason;
  std::optional<dtls::Error> error = {};
  // As MediaTransport::statistics() was at the end, for which find() is too late.
  transport::MediaTransportStatistics statistics = {};
};

// TransportConnected: the DTLS handshake is complete and the peer is accepted.
using Connected = transport::TransportConnected;
using SsrcLimit = transport::TransportSsrcLimit;

struct Event {
  SessionHandle session;
  std::variant<Connected, PathSelected, PathTaken, Expired, SsrcLimit, Ended> what;
};

}  // namespace sluice::ice_lite
