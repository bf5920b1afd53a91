#include "handshake12/resume12.h"

#include <algorithm>

#include "crypto/library.h"
#include "handshake12/hello12.h"
#include "handshake12/ticket12.h"
#include "negotiation/config_rules.h"
#include "negotiation/extension_table.h"

namespace sluice::dtls::handshake {
namespace {

using message::ClientHello;
using wire::ExtensionType;

Session12 session_of(const Negotiated12& negotiated, const StoredSession& stored) {
  const bool had_group = stored.group != NamedGroup{};
  return {negotiated, stored.secret.clone(),
          had_group ? std::optional(stored.group) : std::nullopt};
}

Bytes ticket_in(const ClientHello& hello) {
  return hello.extensions.find(ExtensionType::session_ticket).value_or(Bytes{});
}

}  // namespace

Result<void> offer_session12(Context& context, const std::optional<ResumableSession>& session,
                             Offer& offer) {
  const ConfigOptions& config = context.config;
  if (!session || config.resumption == Resumption::none) return {};
  const StoredSession& stored = session->session();
  // RFC 7627 section 5.3: the hello must have the extension.
  if (!may_resume(stored, ProtocolVersion::dtls12, Role::client, context) ||
      !is_suite_offered(config, stored.cipher_suite) ||
      !is_offered(config, ExtensionType::extended_master_secret)) {
    return {};
  }
  offer.session12 = session;
  offer.session_id = stored.session_id;
  if (stored.ticket.empty()) return {};
  // RFC 5077 section 3.4: a random session ID; the server repeats it if it accepts the ticket.
  offer.session_id.resize(wire::kMaxSessionId);
  return context.library.public_random(offer.session_id);
}

bool is_resumed12(const Offer& offer, const message::ServerHello& hello) {
  return offer.session12 && !hello.session_id.empty() &&
         std::ranges::equal(hello.session_id, offer.session_id);
}

Result<client12::AfterFlight> resume12(Context& context, const Offer& offer,
                                       Negotiated12 negotiated) {
  const StoredSession& stored = offer.session12->session();
  if (negotiated.suite.id != stored.cipher_suite) {
    return fatal(Errc::illegal_parameter, Alert::illegal_parameter,
                 "cipher suite of another session");  // RFC 5246 7.4.1.3
  }
  if (!negotiated.extended_master_secret) {
    return fatal(Errc::missing_extended_master_secret, Alert::handshake_failure,
                 "resumed session");  // RFC 7627 5.3
  }
  context.resumption12.resumed = offer.session12;
  context.transcript.stop_keeping_messages();
  // RFC 6066 section 4: it applies without being repeated.
  if (negotiated.extensions.max_fragment_length == message::MaxFragmentLength::none) {
    negotiated.extensions.max_fragment_length = stored.max_fragment_length;
    context.transport.records.set_content_limits(
        content_limits(ProtocolVersion::dtls12, negotiated.extensions));
  }
  negotiated.resumed = true;
  Session12 session = session_of(negotiated, stored);
  const auto installed = install_keys(context, negotiated, session.master, Role::client);
  if (!installed) return forward_error(installed);
  resume_peer(context, stored.peer, Role::client);
  return client12::await_last_flight(context, std::move(session));
}

Result<std::optional<ResumedSession12>> find_session12(Context& context, const ClientHello& hello) {
  const Bytes ticket = ticket_in(hello);
  if (ticket.empty()) return std::nullopt;
  auto opened = open_ticket(context, ticket);
  if (!opened) return forward_error(opened);
  if (!*opened) return std::nullopt;
  auto& [session, is_old] = **opened;
  auto resumable = to_resumable(std::move(session));
  if (!resumable) return std::nullopt;
  return ResumedSession12{*std::move(resumable), is_old};
}

std::optional<SessionRequested> session_question12(const ConfigOptions& config,
                                                   const ClientHello& hello) {
  // RFC 5077 section 3.4: a session ID beside a ticket names no session.
  if (config.resumption != Resumption::store || hello.session_id.empty() ||
      !ticket_in(hello).empty()) {
    return std::nullopt;
  }
  return SessionRequested{{}, Buffer(hello.session_id.begin(), hello.session_id.end())};
}

Result<bool> is_resumable_with12(const Context& context, const ClientHello& hello,
                                 const StoredSession& session) {
  const ConfigOptions& config = context.config;
  if (!may_resume(session, ProtocolVersion::dtls12, Role::server, context) ||
      !is_suite_offered(config, session.cipher_suite) ||
      !hello.cipher_suites.contains(session.cipher_suite)) {
    return false;
  }
  const auto suite = find_suite12(config, session.cipher_suite);
  if (!suite) return false;
  if (needs_encrypt_then_mac(*suite) && !hello.extensions.has(ExtensionType::encrypt_then_mac)) {
    return false;
  }
  // RFC 7627 section 5.3: the session had the extension, so the hello must have it.
  if (!hello.extensions.has(ExtensionType::extended_master_secret)) {
    return fatal(Errc::missing_extended_master_secret, Alert::handshake_failure, "resumed session");
  }
  return config.extended_master_secret != ExtendedMasterSecret::disable;
}

Result<server12::WaitFinished> resume12(Context& context, const ClientHello& hello,
                                        const ResumedSession12& known,
                                        const flight::IncomingMessage& incoming) {
  const StoredSession& stored = known.session.session();
  Resumption12& resumption = context.resumption12;
  resumption.resumed = known.session;
  resumption.session_id.assign(hello.session_id.begin(), hello.session_id.end());
  // A lifetime of 0 would mean that the server states none (RFC 5077 section 3.3).
  resumption.ticket_follows =
      known.is_ticket_old &&
      saturating_difference(stored.expires(), context.now) >= std::chrono::seconds{1};
  const Choice12 choice{*find_suite12(context.config, stored.cipher_suite), {}, {}};
  const auto negotiated = send_server_hello12(hello, choice, incoming, context);
  if (!negotiated) return forward_error(negotiated);
  context.transcript.stop_keeping_messages();
  Session12 session = session_of(*negotiated, stored);
  Result<void> done;
  if (resumption.ticket_follows) done = send_ticket12(context, session);
  if (done) done = install_keys(context, *negotiated, session.master, Role::server);
  if (done) done = send_finished(context, session, Role::server);
  if (!done) return forward_error(done);
  resume_peer(context, stored.peer, Role::server);
  return server12::WaitFinished{std::move(session)};
}

}  // namespace sluice::dtls::handshake
