// What is kept of a session so that it can be resumed.
#pragma once

#include <optional>
#include <string>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/clock.h>
#include <sluice/dtls/resumption.h>

#include "negotiation/context.h"
#include "schedule/cipher_suite.h"
#include "schedule/hkdf13.h"

namespace sluice::dtls::handshake {

// What a server takes for the name of a session: nobody guesses it.
inline constexpr std::size_t kSessionNameSize = 32;

// What an earlier handshake has found out about the peer.
struct KnownPeer {
  Bytes certificate;
  bool is_authenticated_by_psk;
  const std::optional<std::string>& verified_name;
};

struct StoredSession {
  ProtocolVersion version{};
  CipherSuite cipher_suite{};
  // The PSK of the ticket. In DTLS 1.2 the master secret, always an extended one (RFC 7627 section
  // 5.3).
  schedule::HashSecret secret;
  Instant issued{};
  Duration lifetime{};
  std::uint32_t age_add = 0;  // NewSessionTicket.ticket_age_add of DTLS 1.3
  // The peer proved itself by a PSK; else by its certificate, or not at all.
  bool is_peer_authenticated_by_psk = false;
  Buffer peer_certificate;  // DER, without its issuers
  // By which name its chain was verified; empty: it wasn't.
  std::optional<std::string> verified_name;
  std::string server_name;  // that the client asked for; empty: none
  // A client's only. DTLS 1.2 has one or the other.
  Buffer session_id;
  Buffer ticket;

  [[nodiscard]] KnownPeer peer() const {
    return {peer_certificate, is_peer_authenticated_by_psk, verified_name};
  }
  [[nodiscard]] Instant expires() const { return issued + lifetime; }
  [[nodiscard]] StoredSession clone() const;

  [[nodiscard]] Buffer encode() const;
  // Empty for what encode() didn't write.
  static std::optional<StoredSession> decode(Bytes bytes);
};

// Whether it is of this version, alive, of the same server name and, for a server that wants
// certificates, of a client that has shown who it is.
bool may_resume(const StoredSession& session, ProtocolVersion version, Role role,
                const Context& context);

// The peer is who it showed itself to be when the session began.
void authenticate_by(Context& context, const KnownPeer& peer, Role role);

// ---- a server's tickets

Result<Buffer> seal_session(crypto::Library& library, TicketKeys& keys,
                            const StoredSession& session, Instant now);
struct OpenedTicket {
  StoredSession session;
  bool is_old;  // sealed under a key that is about to go
};
// Empty for what isn't a ticket of ours.
Result<std::optional<OpenedTicket>> open_ticket(Context& context, Bytes ticket);

}  // namespace sluice::dtls::handshake
