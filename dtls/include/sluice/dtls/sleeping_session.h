// Sessions that leave an Endpoint while their peers are idle, and return with a datagram.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/clock.h>
#include <sluice/dtls/connection_id.h>
#include <sluice/dtls/live_session.h>
#include <sluice/dtls/path.h>

namespace sluice::dtls {

// One question for a session. No other question of the same Endpoint ever has the same number.
enum class WantedSession : std::uint64_t {};

// How an Endpoint asks for sessions that sleep elsewhere. Anybody can send datagrams with made-up
// connection IDs and have it ask, so all of this is bounded.
struct WakingOptions {
  // The questions without an answer; a datagram that would need another is dropped. Also the
  // answers "there is none" that are kept until `timeout`, so that the same ID is not asked for
  // again; a newer one replaces the oldest. 0: the Endpoint does not ask.
  std::size_t max_wanted = 0;
  // How long an answer may take. Above 0, at most 1 hour.
  Duration timeout = std::chrono::seconds{2};
  // The datagrams that wait for one answer, at least 1, and the bytes of all that wait. Further
  // ones are dropped: their peers send again what matters to them.
  std::size_t max_datagrams_each = 4;
  std::size_t max_bytes = std::size_t{1} << 20;
};

// ---- events

// The last event of a connection, in place of Ended: its peer has been idle, and the session has
// left the Endpoint (EndpointOptions::age_after, max_live). Keep both, and give them to
// Endpoint::adopt() or restore_wanted(). The state's tag is that of Endpoint::set_tag().
struct SessionAged {
  SessionState state;
  UdpPath path;  // the last one
};

// A datagram has a connection ID that no connection here has (WakingOptions). Answer with
// Endpoint::restore_wanted() or drop_wanted(), in time: later datagrams with this ID wait, too, and
// do not ask again. EndpointEvent::connection is kNoConnection. `path` is where the datagram came
// from: not authenticated, for the log only.
struct SessionWanted {
  WantedSession wanted;
  ConnectionId connection_id;
  UdpPath path;
};

// restore_wanted() has made this connection. It is connected and sends no Connected event. The data
// of the datagrams that have waited come in the turns after this event.
struct SessionRestored {
  Buffer tag;
};

}  // namespace sluice::dtls
