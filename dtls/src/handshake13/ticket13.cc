#include "handshake13/ticket13.h"

#include <array>

#include "crypto/library.h"

namespace sluice::dtls::handshake {
namespace {

// A session issues one ticket, so its nonce need not be unique.
constexpr std::array kNonce{std::byte{0}};

Result<StoredSession> make_stored(crypto::Library& library, const Session13& session, Bytes nonce,
                                  const ConfigOptions& config, Instant now, Duration lifetime) {
  const auto& [suite, extensions, group, psk, takes_tickets] = session.negotiated;
  auto secret = schedule::ticket_psk(library, suite->hash, session.resumption->secret, nonce);
  if (!secret) return forward_error(secret);
  StoredSession stored;
  stored.version = ProtocolVersion::dtls13;
  stored.cipher_suite = suite->id;
  stored.secret = std::move(*secret);
  stored.issued = now;
  stored.lifetime = lifetime;
  stored.peer = session.resumption->peer;
  stored.server_name = extensions.names->server_name;
  stored.group = group.value_or(NamedGroup{});
  stored.max_fragment_length = extensions.max_fragment_length;
  stored.limit_lifetime(config);
  return stored;
}

}  // namespace

Result<std::optional<IssuedTicket>> issue_ticket13(crypto::Library& library,
                                                   const Session13& session,
                                                   const ConfigOptions& config, Instant now) {
  auto stored = make_stored(library, session, kNonce, config, now, config.session_lifetime);
  if (!stored) return forward_error(stored);
  // A lifetime of 0 would tell the client to discard the ticket at once (RFC 8446 section 4.6.1).
  const auto lifetime = std::chrono::floor<std::chrono::seconds>(stored->lifetime);
  if (lifetime == std::chrono::seconds::zero()) return std::nullopt;
  IssuedTicket issued{lifetime, 0, {}, {}};
  std::array<std::byte, sizeof issued.age_add> age_add{};
  if (auto filled = library.random(age_add); !filled) return forward_error(filled);
  issued.age_add = wire::Reader(age_add).u32();
  stored->age_add = issued.age_add;
  if (config.resumption == Resumption::tickets) {
    auto sealed = seal_session(library, *config.ticket_keys, *stored, now);
    if (!sealed) return forward_error(sealed);
    if (sealed->empty()) return std::nullopt;
    issued.ticket = std::move(*sealed);
    return issued;
  }
  // With a store, the ticket is only the name of the session.
  issued.ticket.resize(kSessionNameSize);
  if (auto filled = library.public_random(issued.ticket); !filled) return forward_error(filled);
  issued.to_store = to_resumable(std::move(*stored));
  return issued.to_store ? std::optional(std::move(issued)) : std::nullopt;
}

void put_issued_ticket13(wire::Writer& out, const IssuedTicket& ticket) {
  message::put_new_session_ticket13(out, {ticket.lifetime, ticket.age_add, kNonce, ticket.ticket});
}

Result<std::optional<ResumableSession>> take_ticket13(crypto::Library& library,
                                                      const Session13& session,
                                                      const message::NewSessionTicket13& message,
                                                      const ConfigOptions& config, Instant now) {
  const auto lifetime = std::min(message.lifetime, message::NewSessionTicket13::kMaxLifetime);
  // RFC 8446 section 4.6.1: a lifetime of 0 means that the ticket is discarded at once.
  if (lifetime == std::chrono::seconds::zero() || !session.resumption) return std::nullopt;
  auto stored = make_stored(library, session, message.nonce, config, now, lifetime);
  if (!stored) return forward_error(stored);
  stored->age_add = message.age_add;
  stored->ticket.assign(message.ticket.begin(), message.ticket.end());
  return to_resumable(std::move(*stored));
}

}  // namespace sluice::dtls::handshake
