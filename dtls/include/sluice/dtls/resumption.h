// Resuming a session: no certificates, no signatures, one secret from an earlier handshake.
#pragma once

#include <chrono>
#include <memory>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/clock.h>
#include <sluice/dtls/error.h>
#include <sluice/dtls/protocol.h>

namespace sluice::dtls {

namespace crypto {
class Library;
}
namespace handshake {
struct StoredSession;
}

// Who keeps a session until it is resumed.
enum class Resumption : std::uint8_t {
  none,
  // The client, in a ticket that only the server can open (ConfigOptions::ticket_keys).
  tickets,
  // The server, in a store of the caller's (SessionToStore, PskRequested, SessionRequested; see
  // <sluice/dtls/resumption_store.h>). A client sees no difference: it takes what the server gives.
  store,
};

// One that a client gets by SessionReceived and hands to its next Connection::client(), or
// that a server keeps in its store. Immutable and cheap to copy; wiped with the last copy.
//
// It has the secret and the peer's certificate, which is shown to the caller again when the session
// is resumed. One of DTLS 1.2 has had an extended master secret (RFC 7627), is resumed with its own
// cipher suite alone, and its secret stays the same: where it leaks, all that was resumed is open.
// A ticket is better used once only: onlookers recognise it (RFC 8446 appendix C.4).
class ResumableSession {
 public:
  // What serialize() gave. Errors: decode_error.
  static Result<ResumableSession> parse(Bytes serialized);
  // To be kept as secret as a private key.
  [[nodiscard]] Buffer serialize() const;

  [[nodiscard]] ProtocolVersion version() const;
  // Not used any more from then on; on the clock of the connection that it came from, so a caller
  // that keeps sessions beyond its process needs a clock whose start outlives it.
  [[nodiscard]] Instant expires() const;

  // For the engine's own use.
  explicit ResumableSession(std::shared_ptr<const handshake::StoredSession> session)
      : session_(std::move(session)) {}
  [[nodiscard]] const handshake::StoredSession& session() const { return *session_; }

 private:
  std::shared_ptr<const handshake::StoredSession> session_;
};

// The keys under which a server seals its tickets (AES-256-GCM). They are made when first needed
// and replaced every `rotation`; a ticket opens for at least one and at most two rotations. May be
// used by several threads and any number of Configs at once, whose connections then share one
// clock.
class TicketKeys {
 public:
  explicit TicketKeys(Duration rotation = std::chrono::hours{24});
  TicketKeys(const TicketKeys&) = delete;
  TicketKeys& operator=(const TicketKeys&) = delete;
  ~TicketKeys();

  [[nodiscard]] Duration rotation() const;

  // For the engine's own use. Errors: libcrypto_failure.
  Result<Buffer> seal(crypto::Library& library, Bytes session, Instant now);
  struct Opened {
    Buffer session;       // empty when it isn't a ticket of these keys
    bool is_old = false;  // new tickets are sealed under another key
  };
  Result<Opened> open(crypto::Library& library, Bytes ticket, Instant now);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sluice::dtls
