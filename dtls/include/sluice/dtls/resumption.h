// Session resumption: a handshake without certificates and signatures, from an earlier secret.
#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/clock.h>
#include <sluice/dtls/error.h>
#include <sluice/dtls/peer_info.h>
#include <sluice/dtls/protocol.h>
#include <sluice/dtls/secret.h>

namespace sluice::dtls {

class Environment;  // <sluice/dtls/environment.h>

namespace crypto {
class Library;
}
namespace handshake {
struct StoredSession;
}

// Where a session is kept until it is resumed.
enum class Resumption : std::uint8_t {
  none,
  // By the client, in a ticket that only the server can decrypt (ConfigOptions::ticket_keys).
  tickets,
  // By the server, in the caller's store (SessionToStore, PskRequested, SessionRequested; see
  // <sluice/dtls/resumption_store.h>). For a client both are the same.
  store,
};

// A session that a client gets from SessionReceived and passes to its next Connection::client(), or
// that a server keeps in its store. Immutable, cheap to copy; the last copy wipes it.
//
// It holds the secret and the peer's certificate, which is presented again when the session is
// resumed. A DTLS 1.2 session has the extended master secret (RFC 7627), is resumed only with its
// cipher suite, and keeps its secret: if that leaks, all resumed connections are readable. Use a
// ticket only once: observers can recognise it (RFC 8446 appendix C.4).
class ResumableSession {
 public:
  // Reads the bytes of serialize(). Errors: decode_error.
  static Result<ResumableSession> parse(Bytes serialized);
  // Contains the secret: protect it like a private key.
  [[nodiscard]] Buffer serialize() const;

  [[nodiscard]] ProtocolVersion version() const;
  // When the session expires, on the clock of the connection that it came from. A caller that keeps
  // sessions longer than its process needs a clock that continues across restarts.
  [[nodiscard]] Instant expires() const;
  // The peer with which the session began. PeerInfo::certificate_fingerprint is set only where the
  // session does not hold the certificate.
  [[nodiscard]] PeerInfo peer() const;

  // Internal: for the engine only.
  explicit ResumableSession(std::shared_ptr<const handshake::StoredSession> session)
      : session_(std::move(session)) {}
  [[nodiscard]] const handshake::StoredSession& session() const { return *session_; }

 private:
  std::shared_ptr<const handshake::StoredSession> session_;
};

// The keys under which a server encrypts its tickets (AES-256-GCM). They are made at first
// use and replaced every `rotation`; a ticket is valid for one to two rotations. Several
// threads and any number of Configs may use it at once; their connections must share one
// clock.
class TicketKeys {
 public:
  explicit TicketKeys(Duration rotation = std::chrono::hours{24});
  TicketKeys(const TicketKeys&) = delete;
  TicketKeys& operator=(const TicketKeys&) = delete;
  ~TicketKeys();

  [[nodiscard]] Duration rotation() const;
  // From when on new keys are due: the next ticket, or export_keys(), makes them. Empty: there are
  // none yet.
  [[nodiscard]] std::optional<Instant> next_rotation() const;

  // ---- keys that several servers share: a client then resumes at any of them. One server exports
  // its keys, soon after each rotation, and the others import them; their clocks must agree, and
  // the rotation is the same. A server whose keys are due before that makes its own.

  // The present keys, made if there are none: with them all tickets can be read. Errors:
  // libcrypto_failure.
  Result<SecretBytes> export_keys(Environment& environment, Instant now);
  // Replaces the keys. Errors: decode_error for bytes that export_keys() did not write, and
  // libcrypto_failure; the keys stay.
  Result<void> import_keys(Environment& environment, Bytes keys);

  // Internal: for the engine only. Errors: libcrypto_failure.
  Result<Buffer> seal(crypto::Library& library, Bytes session, Instant now);
  struct Opened {
    Buffer session;       // empty if it is no ticket of these keys
    bool is_old = false;  // new tickets use a newer key
  };
  Result<Opened> open(crypto::Library& library, Bytes ticket, Instant now);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sluice::dtls
