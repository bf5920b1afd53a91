// The data of a session that is stored for resumption.
#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/clock.h>
#include <sluice/dtls/resumption.h>

#include "negotiation/context.h"
#include "negotiation/peer_identity.h"
#include "schedule/cipher_suite.h"
#include "schedule/hkdf13.h"

namespace sluice::dtls::handshake {

// Bytes of the random name that a server gives a session in its store; too many to guess.
inline constexpr std::size_t kSessionNameSize = 32;

struct StoredSession {
  // A ClientHello has at most 65,535 bytes of extensions (RFC 8446 section 4.1.2), and a ticket is
  // not the only one. Longer tickets are neither issued nor used.
  static constexpr std::size_t kMaxTicket = 32768;

  ProtocolVersion version{};
  CipherSuite cipher_suite{};
  // In DTLS 1.3 the PSK of the ticket. In DTLS 1.2 the master secret, always an extended one
  // (RFC 7627 section 5.3).
  schedule::HashSecret secret;
  Instant issued{};
  Duration lifetime{};
  std::uint32_t age_add = 0;  // NewSessionTicket.ticket_age_add of DTLS 1.3
  PeerIdentity peer;
  std::string server_name;  // in the client's server_name extension; empty: none
  NamedGroup group{};       // of the first handshake's key exchange; 0: none
  message::MaxFragmentLength max_fragment_length{};
  // For a client only; in DTLS 1.2 one of the two is empty.
  Buffer session_id;
  Buffer ticket;

  [[nodiscard]] Instant expires() const { return saturating_add(issued, lifetime); }
  // Shortens the lifetime to the time for which the peer's proof may be used; to zero for a PSK of
  // which this Config would not resume a session.
  void limit_lifetime(const ConfigOptions& config);
  [[nodiscard]] StoredSession clone() const;

  // Whether each field has a value that all code can use: the suite is of the version, the secret
  // has the suite's size, and sizes and times are within their bounds.
  [[nodiscard]] bool is_sound() const;
  // In one block, because it contains the secret. Empty when is_sound() is false.
  [[nodiscard]] Buffer encode() const;
  // Empty for what encode() did not write; is_sound() otherwise.
  static std::optional<StoredSession> decode(Bytes bytes);
};

// A session to be kept for resumption; empty when is_sound() is false, such as for a ticket for
// which no ClientHello has room. All sessions that are kept come from here.
std::optional<ResumableSession> to_resumable(StoredSession&& session);

// All fields, for encode(), decode() and clone(). The binding makes a new field a compile error
// here, and nowhere else is there a list.
template <class Session>
  requires std::same_as<std::remove_const_t<Session>, StoredSession>
auto fields_of(Session& session) {
  auto& [version, cipher_suite, secret, issued, lifetime, age_add, peer, server_name, group,
         max_fragment_length, session_id, ticket] = session;
  return std::tie(version, cipher_suite, secret, issued, lifetime, age_add, peer, server_name,
                  group, max_fragment_length, session_id, ticket);
}

// Calls `archive` with each field in turn.
template <class Archive, class Fields>
void visit_fields(Archive& archive, Fields& fields) {
  std::apply([&](auto&... field) { (archive(field), ...); }, fields_of(fields));
}

// Whether a handshake of this version and role may resume the session: it is alive, it began under
// the policy of this handshake and with the same server name, and the peer has proved its identity
// recently enough and in a way that the Config still accepts.
bool may_resume(const StoredSession& session, ProtocolVersion version, Role role,
                const Context& context);

// PeerIdentity::psk of the Config's PSK with this identity; empty: it has none.
Result<std::optional<PskDigest>> known_psk_digest(crypto::Library& library,
                                                  const ConfigOptions& config, Bytes identity);

// Whether the Config still accepts this peer, by the proof that it has given and without asking for
// another: its PSK was not withdrawn or replaced, its certificate has a type that is still accepted
// and was verified for the expected name, where the Config wants that. Keys behind a question
// (ask_for_psk) are the caller's to judge.
bool is_still_accepted(const PeerIdentity& peer, Role role, const ConfigOptions& config,
                       crypto::Library& library);

// Copies the peer's identity from the resumed session to the context. A certificate or raw public
// key is checked again, unless this is a server that no longer requests one.
void resume_peer(Context& context, const PeerIdentity& identity, Role role);

// ---- a server's tickets

// Empty when a ticket cannot contain the session.
Result<Buffer> seal_session(crypto::Library& library, TicketKeys& keys,
                            const StoredSession& session, Instant now);
struct OpenedTicket {
  StoredSession session;
  bool is_old;  // the key that sealed it is about to be dropped
};
// Empty for what is not a ticket of this server.
Result<std::optional<OpenedTicket>> open_ticket(Context& context, Bytes ticket);

}  // namespace sluice::dtls::handshake
