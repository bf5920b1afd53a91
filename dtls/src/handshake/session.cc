#include "handshake/session.h"

namespace sluice::dtls::handshake {
namespace {

// The fields of ConnectionInfo that depend on the version.
struct VersionFacts {
  ProtocolVersion version{};
  CipherSuite cipher_suite{};
  std::optional<NamedGroup> group;
  bool extended_master_secret = false;
  std::optional<PskKind> psk;
  bool resumed = false;
};

std::optional<PskKind> kind_of(const std::optional<schedule::PskKind>& psk) {
  if (!psk) return std::nullopt;
  return *psk == schedule::PskKind::resumption ? PskKind::resumption : PskKind::external;
}

VersionFacts facts_of(const Session12& session) {
  const Negotiated12& negotiated = session.negotiated;
  return {.version = ProtocolVersion::dtls12,
          .cipher_suite = negotiated.suite.id,
          .group = session.group,
          .extended_master_secret = negotiated.extended_master_secret,
          .psk = uses_psk(negotiated.suite.key_exchange) ? std::optional(PskKind::external)
                                                         : std::nullopt,
          .resumed = negotiated.resumed};
}

VersionFacts facts_of(const Session13& session) {
  const Negotiated13& negotiated = session.negotiated;
  return {.version = ProtocolVersion::dtls13,
          .cipher_suite = negotiated.suite->id,
          .group = negotiated.group,
          // DTLS 1.3 binds all secrets to the whole transcript, which is what RFC 7627 adds to 1.2.
          .extended_master_secret = true,
          .psk = kind_of(negotiated.psk),
          .resumed = negotiated.psk == schedule::PskKind::resumption};
}

ConnectionInfo info_from(const VersionFacts& facts, const AgreedExtensions& extensions, Role role) {
  return {.role = role,
          .version = facts.version,
          .cipher_suite = facts.cipher_suite,
          .group = facts.group,
          .srtp_profile = extensions.srtp_profile,
          .extended_master_secret = facts.extended_master_secret,
          .psk = facts.psk.has_value(),
          .psk_kind = facts.psk,
          .resumed = facts.resumed,
          .application_protocol = extensions.names->application_protocol,
          .server_name = extensions.names->server_name,
          .srtp_mki = extensions.names->srtp_mki,
          .return_routability = extensions.return_routability};
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
  return std::visit(
      [&](const auto* s) { return info_from(facts_of(*s), s->negotiated.extensions, role); },
      session);
}

const AgreedExtensions& extensions_of(SessionView session) {
  return std::visit(
      [](const auto* s) -> const AgreedExtensions& { return s->negotiated.extensions; }, session);
}

Result<void> export_keying_material(crypto::Library& library, SessionView session,
                                    std::string_view label, std::optional<Bytes> context,
                                    MutableBytes out) {
  return std::visit([&](const auto* s) { return export_from(library, *s, label, context, out); },
                    session);
}

}  // namespace sluice::dtls::handshake
