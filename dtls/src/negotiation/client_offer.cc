#include "negotiation/client_offer.h"

#include <ranges>

#include "message/client_hello.h"
#include "negotiation/config_rules.h"
#include "negotiation/extension_table.h"
#include "negotiation/groups.h"
#include "negotiation/hello_editor.h"

namespace sluice::dtls::handshake {
namespace {

auto offered_suites(const ConfigOptions& config) {
  return std::views::filter(config.cipher_suites,
                            [&](CipherSuite suite) { return can_use(config, suite); });
}

// Bytes for which room is allocated at once.
std::size_t expected_size(const Offer& offer) {
  constexpr std::size_t kUsualHello = 256;  // without a ticket and a key share
  return kUsualHello + (offer.session12 ? offer.session12->session().ticket.size() : 0);
}

}  // namespace

Result<void> send_client_hello(Context& context, const Offer& offer) {
  const ConfigOptions& config = context.config;
  const auto groups = usable_groups(config, context.library, Role::client, config.max_version);
  Result<void> put;
  const auto put_extensions = [&](wire::Writer& out) {
    put = put_offered_extensions(out, {config, groups, offer, context.now});
  };
  auto body = wire::encoded(
      [&](wire::Writer& out) {
        message::put_client_hello(out, offer.random, offer.session_id, offer.verify_cookie,
                                  offered_suites(config), put_extensions);
      },
      expected_size(offer));
  if (!put) return put;
  if (!body) {
    return fatal(Errc::excessive_message, Alert::internal_error,
                 "ClientHello: no room for all that is offered");
  }
  if (auto edited = edit_hello(context, HelloMessage::client_hello, *body); !edited) return edited;
  if (!offer.psks.empty()) {
    if (auto bound = put_binders(context, offer.psks, *body); !bound) return bound;
  }
  return context.send(wire::HandshakeType::client_hello, wire::kPlaintextEpoch,
                      [&](wire::Writer& out) { out.bytes(*body); });
}

}  // namespace sluice::dtls::handshake
