// Live sessions that move: exported from one connection, and restored as another, in the same
// process or elsewhere, without a handshake.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/connection_id.h>
#include <sluice/dtls/error.h>
#include <sluice/dtls/protocol.h>
#include <sluice/dtls/secret.h>

namespace sluice::dtls {

// The longest ExportOptions::tag, in bytes.
inline constexpr std::size_t kMaxSessionTag = 32;

struct ExportOptions {
  // The caller's own, such as a name of its session; travels along. Up to kMaxSessionTag bytes.
  Bytes tag = {};
  // A DTLS 1.3 client keeps the server's certificate as long as the server may send further
  // tickets, because a session that is resumed presents it again. Without it the restored
  // connection ignores further tickets. Nothing else keeps a certificate.
  bool with_certificates = false;
};

// Why a connection cannot be exported at present.
enum class ExportBlocked : std::uint8_t {
  // Before Connected, or after the end: does not pass by itself.
  not_connected,
  // poll_transmit(), poll_data() or poll_event() have something: passes when they are drained.
  outputs_pending,
  // A DTLS 1.3 client whose server has not acknowledged the Finished yet: passes with the ACK,
  // after a round trip, or with the connection (handshake_timeout).
  handshake_unconfirmed,
};

std::string_view to_string(ExportBlocked reason);

// What Connection::export_session() returns and Connection::restore() takes. Contains the secrets
// of the session: protect it like a private key. It is wiped when it is destroyed.
//
// One state is one session. Restore it once only: two connections of one state seal different data
// under the same key and nonce, which reveals the data.
class SessionState {
 public:
  // Reads the bytes of bytes(). Errors: decode_error, with what is wrong in Error::detail, for
  // bytes that are truncated, altered, of another format or out of range. Altered bytes may also
  // be valid: where others may write, keep a state sealed.
  static Result<SessionState> parse(Bytes bytes);

  // docs/live-sessions.md describes the form. Later releases read it, too.
  [[nodiscard]] Bytes bytes() const { return bytes_.bytes(); }
  // ExportOptions::tag. Valid as long as this object, and no longer than until it is moved from.
  [[nodiscard]] Bytes tag() const;
  [[nodiscard]] Role role() const;
  [[nodiscard]] ProtocolVersion version() const;
  // By which its peer may send, so that a store finds it by each of them. Those that the peer was
  // given last come last.
  [[nodiscard]] std::vector<ConnectionId> own_connection_ids() const;

  // Internal: for the engine only.
  explicit SessionState(Buffer bytes) : bytes_(std::move(bytes)) {}

 private:
  SecretBytes bytes_;
};

// Names a snapshot of one connection.
enum class SnapshotId : std::uint64_t {};

struct SnapshotOptions {
  Bytes tag = {};                  // as ExportOptions
  bool with_certificates = false;  // as ExportOptions
  // How many records the connection may send until a newer snapshot is stored: kMinimum to
  // kMaximum. A crash leaves a gap of at most as many record numbers. In DTLS 1.3 records carry 16
  // bits of their number only, so a peer that receives none between several crashes loses track
  // after gaps of 32768 in sum.
  std::size_t records = 1024;
  static constexpr std::size_t kMinimum = 32;
  static constexpr std::size_t kMaximum = 16384;
};

struct Snapshot {
  SnapshotId id;
  SessionState state;
};

}  // namespace sluice::dtls
