// The ICE session of a peer, which PATCH adds candidates to or restarts (RFC 9725 section 4.3).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include <sluice/dtls/clock.h>
#include <sluice/ice_lite/description.h>
#include <sluice/ice_lite/ice_lite_server.h>

#include "common/sdp/answer_frame.h"
#include "common/sdp/sdp_offer.h"

namespace sluice::interop::sfu {

// The least time between two restarts of a session: each costs an HMAC key and random numbers, and
// a client can't find a path in less.
inline constexpr std::chrono::milliseconds kIceRestartInterval{500};

// What a PATCH says.
struct IceUpdate {
  ice_lite::Credentials ice;  // the peer's, of the fragment
  // The ICE sessions that it is for, as Created::ice_session names them. Empty: any (If-Match: *).
  std::optional<std::vector<std::string>> only = {};
};

// The answer to a restart.
struct IceRestarted {
  std::string fragment;     // application/trickle-ice-sdpfrag
  std::string ice_session;  // the name of the new one
};

enum class IceRefusal : std::uint8_t {
  no_session,
  other_ice_session,  // IceUpdate::only has not the present one
  credentials,        // of the peer can't be used
  too_soon,           // kIceRestartInterval
  failed,             // the transport has
};
struct IceRefused {
  IceRefusal why;
  std::string sentence;  // for the client
};

// No restart: the update is about the present ICE session, and adds candidates. They have no use
// here: a lite agent learns addresses from checks.
using IceResult = tl::expected<std::optional<IceRestarted>, IceRefused>;

// What answers and fragments say about the server's ICE.
AgentOptions agent_options(const Offer& offer);

class IceSession {
 public:
  IceSession() = default;
  explicit IceSession(const Offer& offer);
  // What it goes on from in another process.
  struct State {
    ice_lite::Credentials remote;
    std::string head;
    std::optional<dtls::Duration> since_restart = {};
  };
  IceSession(State state, dtls::Instant now);
  [[nodiscard]] State state(dtls::Instant now) const;

  // Other credentials than before restart ICE. The peer is then served with the old ones and the
  // new ones, until it nominates a path with the new ones.
  IceResult update(const IceUpdate& update, ice_lite::SessionHandle session,
                   ice_lite::IceLiteServer& server,
                   std::span<const ice_lite::AnnouncedAddress> announced, dtls::Instant now);

 private:
  ice_lite::Credentials remote_;
  std::string head_;  // of the fragments of restarts
  std::optional<dtls::Instant> restarted_at_;
};

}  // namespace sluice::interop::sfu
