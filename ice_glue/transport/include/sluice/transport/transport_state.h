// Calls that move: exported from one MediaTransport, and restored as another.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include <sluice/dtls/live_session.h>
#include <sluice/dtls/path.h>

namespace sluice::transport {

// Why a transport cannot be exported at present.
enum class ExportBlocked : std::uint8_t {
  // Before TransportConnected, or after the end: does not pass by itself.
  not_connected,
  // A poll has something, or what it has waits for a path: passes when the outputs are drained.
  outputs_pending,
  // As dtls::ExportBlocked: passes after a round trip.
  handshake_unconfirmed,
  // The association from before a restart() still serves: passes after
  // MediaTransportOptions::old_keys_hold and old_keys_linger.
  restart_under_way,
};

std::string_view to_string(ExportBlocked reason);

// A path of an exported transport, and the number that it has where the transport is restored.
struct PathNumber {
  dtls::PathId before;
  dtls::PathId now;
};

// What MediaTransport::export_session() returns and MediaTransport::restore() takes: the DTLS
// session, the state of SRTP, and the paths. Contains the secrets of the session: protect it like a
// private key. It is wiped when it is destroyed. One state is one call: restore it once only.
class TransportState {
 public:
  // Reads the bytes of bytes(). Errors: decode_error, with what is wrong in Error::detail, for
  // bytes that are truncated, altered, of another format or out of range. Altered bytes may also
  // be valid: where others may write, keep a state sealed (dtls::StateKeys).
  static dtls::Result<TransportState> parse(dtls::Bytes bytes);

  // docs/live-sessions.md describes the form. Later releases read it, too.
  [[nodiscard]] dtls::Bytes bytes() const { return bytes_.bytes(); }
  // A copy of the DTLS session's state, for its tag, role and version. Errors: decode_error after
  // this object was moved from.
  [[nodiscard]] dtls::Result<dtls::SessionState> session() const;
  // The same call for an ICE agent that has other numbers for its paths. Those that `numbers` does
  // not name are forgotten; if one of them was selected, none is. No number may come twice. Errors:
  // invalid_argument, decode_error after this object was moved from.
  [[nodiscard]] dtls::Result<TransportState> with_paths(std::span<const PathNumber> numbers) const;

  // Internal: for the transport only.
  explicit TransportState(dtls::Buffer bytes) : bytes_(std::move(bytes)) {}

 private:
  dtls::SecretBytes bytes_;
};

}  // namespace sluice::transport
