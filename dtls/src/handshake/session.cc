#include "handshake/session.h"

namespace sluice::dtls::handshake {
namespace {

ConnectionInfo info(const Session12& session, Role role) {
  const auto& [suite, randoms, extensions, extended_master_secret, resumed] = session.negotiated;
  return {role,
          ProtocolVersion::dtls12,
          suite.id,
          session.group,
          extensions.srtp_profile,
          extended_master_secret,
          uses_psk(suite.key_exchange),
          resumed,
          extensions.names().application_protocol,
          extensions.names().server_name,
          extensions.names().srtp_mki,
          content_limits(ProtocolVersion::dtls12, extensions).sent};
}

ConnectionInfo info(const Session13& session, Role role) {
  const auto& [suite, group, extensions, psk, takes_tickets] = session.negotiated;
  // DTLS 1.3 binds all secrets to the whole transcript, which is what RFC 7627 adds to 1.2.
  return {role,
          ProtocolVersion::dtls13,
          suite->id,
          group,
          extensions.srtp_profile,
          true,
          psk.has_value(),
          psk == schedule::PskKind::resumption,
          extensions.names().application_protocol,
          extensions.names().server_name,
          extensions.names().srtp_mki,
          content_limits(ProtocolVersion::dtls13, extensions).sent};
}

Result<void> export_from(crypto::Library& library, const Session12& session, std::string_view label,
                         std::optional<Bytes> context, MutableBytes out) {
  return schedule::export12(library, session.negotiated.suite.hash, session.master,
                            session.negotiated.randoms, label, context, out);
}

Result<void> export_from(crypto::Library& library, const Session13& session, std::string_view label,
                         std::optional<Bytes> context, MutableBytes out) {
  return schedule::export13(library, session.negotiated.suite->hash, session.secrets.exporter(),
                            label, context, out);
}

}  // namespace

ConnectionInfo info_of(SessionView session, Role role) {
  return std::visit([&](const auto* s) { return info(*s, role); }, session);
}

Result<void> export_keying_material(crypto::Library& library, SessionView session,
                                    std::string_view label, std::optional<Bytes> context,
                                    MutableBytes out) {
  return std::visit([&](const auto* s) { return export_from(library, *s, label, context, out); },
                    session);
}

}  // namespace sluice::dtls::handshake
