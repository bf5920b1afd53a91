// The extension rrc (RFC 9853 section 3).
#include "negotiation/agreed_extensions.h"
#include "negotiation/config_rules.h"
#include "negotiation/fatal.h"
#include "negotiation/hello_editor.h"

namespace sluice::dtls::handshake {
namespace {

// Without connection IDs no record tells that its sender has moved.
bool have_ids(const Context& context) {
  const record::ConnectionIds& ids = context.transport.records.connection_ids();
  return !ids.own().empty() || !ids.peers().empty();
}

Result<void> choose_return_routability(const Context& context, ProtocolVersion /*version*/,
                                       const ExtensionAgreement::Data& clients,
                                       AgreedExtensions& agreed) {
  if (!clients || return_routability(context.config) == ReturnRoutability::none) return {};
  if (!clients->empty()) return malformed_extension("rrc");
  // "If the client [...] omits the connection_id extension, the server MUST NOT include the rrc
  // extension in its ServerHello."
  agreed.return_routability = have_ids(context);
  return {};
}

void put_return_routability_choice(wire::Writer& out, const ServersChoice& choice) {
  if (choice.agreed.return_routability) {
    message::put_empty_extension(out, wire::ExtensionType::rrc);
  }
}

Result<void> accept_return_routability(const Context& context,
                                       const ExtensionAgreement::Data& servers,
                                       AgreedExtensions& agreed) {
  if (!servers) return {};
  // A HelloHook may have removed it from our hello, or added it.
  if (!is_solicited(context, wire::ExtensionType::rrc) ||
      return_routability(context.config) == ReturnRoutability::none) {
    return fatal(Errc::unsupported_extension, Alert::unsupported_extension, "rrc");
  }
  if (!servers->empty()) return malformed_extension("rrc");
  agreed.return_routability = have_ids(context);
  return {};
}

}  // namespace

const ExtensionAgreement kReturnRoutabilityAgreement{
    choose_return_routability, put_return_routability_choice, accept_return_routability};

}  // namespace sluice::dtls::handshake
