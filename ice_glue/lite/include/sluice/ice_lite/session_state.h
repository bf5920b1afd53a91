// Sessions that move: exported from one IceLiteServer, and restored in another, such as the next
// process on the same port.
#pragma once

#include <utility>
#include <vector>

#include <sluice/dtls/clock.h>
#include <sluice/dtls/error.h>
#include <sluice/dtls/secret.h>
#include <sluice/ice_lite/session.h>
#include <sluice/transport/media_transport.h>

namespace sluice::ice_lite {

// What IceLiteServer::export_session() returns and restore() takes: the ICE credentials, the tuples
// and which of them is used, the last checks, and the transport::TransportState. Contains the
// secrets of the session: protect it like a private key. It is wiped when it is destroyed. One
// state is one session: restore it once only, or nonces repeat.
class SessionState {
 public:
  // Reads the bytes of bytes(). Errors: decode_error, with what is wrong in Error::detail, for
  // bytes that are truncated, altered, of another format or out of range. Altered bytes may also
  // be valid: where others may write, keep a state sealed (dtls::StateKeys).
  static dtls::Result<SessionState> parse(dtls::Bytes bytes);

  // docs/live-sessions.md describes the form. Later releases read it, too.
  [[nodiscard]] dtls::Bytes bytes() const { return bytes_.bytes(); }

  // Internal: for the server only.
  explicit SessionState(dtls::Buffer bytes) : bytes_(std::move(bytes)) {}

 private:
  dtls::SecretBytes bytes_;
};

// What IceLiteServer::export_sessions() returns. The handles are those that the sessions had, or
// have, in the server: whatever the caller keeps of a session it stores beside its state.
struct ExportedSessions {
  struct Moved {
    SessionHandle session{};  // no longer valid
    SessionState state;
  };
  // A session that goes on here. Errc::export_blocked: for the reason of export_blocked().
  struct Stayed {
    SessionHandle session{};
    dtls::Error error;
  };
  std::vector<Moved> moved;
  std::vector<Stayed> stayed;
};

struct RestoreOptions {
  // As SessionOptions::transport: those of a new session.
  transport::MediaTransportOptions transport = {};
  // The time since the export, as far as it is known: consent expires meanwhile. 0 or more.
  dtls::Duration away = {};
};

}  // namespace sluice::ice_lite
