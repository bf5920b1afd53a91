#include "handshake12/ticket12.h"

#include <algorithm>

#include "crypto/library.h"
#include "message/new_session_ticket12.h"
#include "message/new_session_ticket13.h"

namespace sluice::dtls::handshake {
namespace {

using wire::ExtensionType;

// The longest time for which a session is resumed. A renewed ticket does not extend it, because the
// secret stays the same.
constexpr Duration kMaxLifetime = message::NewSessionTicket13::kMaxLifetime;

StoredSession make_stored(const Context& context, const Session12& session) {
  StoredSession stored;
  stored.version = ProtocolVersion::dtls12;
  stored.cipher_suite = session.negotiated.suite.id;
  stored.secret = session.master.clone();
  stored.issued = context.now;
  stored.lifetime = context.config.session_lifetime;
  stored.peer = context.peer.identity;
  stored.server_name = session.negotiated.extensions.names->server_name;
  stored.group = session.group.value_or(NamedGroup{});
  stored.max_fragment_length = session.negotiated.extensions.max_fragment_length;
  stored.limit_lifetime(context.config);
  return stored;
}

// What a client can resume later; empty if the server gave neither ticket nor session ID.
std::optional<ResumableSession> received(Context& context, const Session12& session) {
  Resumption12& resumption = context.resumption12;
  if (!resumption.ticket.empty()) {
    StoredSession stored =
        resumption.resumed ? resumption.resumed->session().clone() : make_stored(context, session);
    const Duration age = saturating_difference(context.now, stored.issued);
    stored.lifetime = std::min(age, kMaxLifetime) + resumption.ticket_lifetime;
    stored.lifetime = std::min(stored.lifetime, kMaxLifetime);
    stored.limit_lifetime(context.config);
    stored.session_id.clear();  // RFC 5077 section 3.4
    stored.ticket = std::move(resumption.ticket);
    if (auto kept = to_resumable(std::move(stored))) return kept;
  }
  if (resumption.resumed) return resumption.resumed;
  if (resumption.session_id.empty()) return std::nullopt;
  StoredSession stored = make_stored(context, session);
  stored.session_id = std::move(resumption.session_id);
  return to_resumable(std::move(stored));
}

}  // namespace

Result<void> announce_session12(Context& context, const message::ClientHello& hello) {
  const ConfigOptions& config = context.config;
  const bool is_extended = hello.extensions.has(ExtensionType::extended_master_secret) &&
                           config.extended_master_secret != ExtendedMasterSecret::disable;
  if (config.resumption == Resumption::none || !is_extended) return {};
  Resumption12& resumption = context.resumption12;
  if (config.resumption == Resumption::tickets) {
    resumption.ticket_follows =
        config.ticket_keys && hello.extensions.has(ExtensionType::session_ticket);
    return {};
  }
  resumption.session_id.resize(kSessionNameSize);
  return context.library.public_random(resumption.session_id);
}

Result<void> send_ticket12(Context& context, const Session12& session) {
  const auto& resumed = context.resumption12.resumed;
  const StoredSession fresh = resumed ? StoredSession{} : make_stored(context, session);
  const StoredSession& stored = resumed ? resumed->session() : fresh;
  const auto left = std::chrono::floor<std::chrono::seconds>(
      saturating_difference(stored.expires(), context.now));
  Buffer ticket;
  // RFC 5077 section 3.3: an empty ticket where a server has none after all. A lifetime of 0 would
  // mean that it states none.
  if (left >= std::chrono::seconds{1}) {
    auto sealed = seal_session(context.library, *context.config.ticket_keys, stored, context.now);
    if (!sealed) return forward_error(sealed);
    ticket = std::move(*sealed);
  }
  return context.send(
      wire::HandshakeType::new_session_ticket, wire::kPlaintextEpoch,
      [&](wire::Writer& out) { message::put_new_session_ticket12(out, {left, ticket}); });
}

Result<void> take_announcement12(Context& context, const message::ServerHello& hello) {
  const auto ticket = hello.extensions.find(ExtensionType::session_ticket);
  if (ticket && !ticket->empty()) {
    return fatal(Errc::decode_error, Alert::decode_error, "session_ticket");
  }
  context.resumption12.ticket_follows = ticket.has_value();
  return {};
}

Result<void> take_ticket12(Context& context, const flight::IncomingMessage& incoming) {
  const auto message = expect<message::NewSessionTicket12>(incoming);
  if (!message) return forward_error(message);
  Resumption12& resumption = context.resumption12;
  resumption.ticket.assign(message->ticket.begin(), message->ticket.end());
  resumption.ticket_lifetime = message->lifetime;
  // RFC 5077 section 3.3: the server states no lifetime.
  if (message->lifetime == std::chrono::seconds::zero()) {
    resumption.ticket_lifetime = context.config.session_lifetime;
  }
  return context.transcript.add(incoming.encoding);
}

void keep_session12(Context& context, const Session12& session, Role role) {
  const bool is_extended = session.negotiated.extended_master_secret;
  if (context.config.resumption == Resumption::none || !is_extended) return;
  Resumption12& resumption = context.resumption12;
  if (role == Role::client) {
    if (auto kept = received(context, session)) {
      resumption.events.emplace_back(SessionReceived{std::move(*kept)});
    }
  } else if (context.config.resumption == Resumption::store && !resumption.resumed &&
             !resumption.session_id.empty()) {
    if (auto kept = to_resumable(make_stored(context, session))) {
      resumption.events.emplace_back(
          SessionToStore{std::move(resumption.session_id), std::move(*kept)});
    }
  }
}

}  // namespace sluice::dtls::handshake
