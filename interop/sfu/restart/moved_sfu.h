// The sessions of a server that is restarted: what the next process goes on from.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include <sluice/dtls/secret.h>

#include "sfu/data/data_session.h"
#include "sfu/restart/moved_media.h"
#include "sfu/signalling/ice_session.h"

namespace sluice::interop::sfu {

struct MovedSession {
  std::string id;
  std::string address;  // of the HTTP client
  std::string room;
  dtls::Duration age{};
  IceSession::State ice = {};
  // One of them.
  std::optional<MovedPublisher> publisher = {};
  std::optional<MovedViewer> viewer = {};
  std::optional<MovedData> data = {};
  dtls::SecretBytes transport = {};  // an ice_lite::SessionState
};

struct MovedSfu {
  // Of the system's clock, in microseconds since 1970.
  std::int64_t left_at = 0;
  // Those where nobody publishes, and for how long.
  std::map<std::string, dtls::Duration> idle_rooms = {};
  // Publishers before their viewers; those of a room in the order in which they came.
  std::vector<MovedSession> sessions = {};

  // How long nobody has published in a room; 0: somebody does.
  [[nodiscard]] dtls::Duration idle_of(const std::string& room) const {
    const auto idle = idle_rooms.find(room);
    return idle == idle_rooms.end() ? dtls::Duration::zero() : idle->second;
  }
};

// Contains the secrets of the sessions.
dtls::SecretBytes encode(const MovedSfu& sfu);
// The error says what is wrong: the bytes are truncated, of another version, or say what no session
// can be.
tl::expected<MovedSfu, std::string> decode_moved_sfu(dtls::Bytes bytes);

}  // namespace sluice::interop::sfu
