// What SRTP adds to a session that moves: indices and replay windows, without keys.
#pragma once

#include <utility>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/error.h>

namespace sluice::srtp {

using dtls::Bytes;

// What Session::export_state() returns and Session::restore() takes. It holds no secrets: the keys
// come again from the DTLS connection, which moves by dtls::Connection::export_session(). Who can
// write a state can have packets accepted twice, or nonces used twice, so keep it sealed with the
// connection's (dtls::StateKeys), as transport::TransportState does.
//
// One state is one session, as dtls::SessionState. Restore it once only.
class SrtpState {
 public:
  // Reads the bytes of bytes(). Errors: decode_error, with what is wrong in Error::detail, for
  // bytes that are truncated, altered, of another format or out of range. Altered bytes may also be
  // valid.
  static dtls::Result<SrtpState> parse(Bytes bytes);

  // docs/live-sessions.md describes the form. Later releases read it, too.
  [[nodiscard]] Bytes bytes() const { return bytes_; }

  // Internal: for the session only.
  explicit SrtpState(dtls::Buffer bytes) : bytes_(std::move(bytes)) {}

 private:
  dtls::Buffer bytes_;
};

}  // namespace sluice::srtp
