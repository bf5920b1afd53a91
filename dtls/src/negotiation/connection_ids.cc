#include "negotiation/connection_ids.h"

#include <array>

#include "crypto/library.h"
#include "message/connection_id.h"
#include "negotiation/agreed_extensions.h"
#include "negotiation/fatal.h"
#include "negotiation/hello_editor.h"

namespace sluice::dtls::handshake {
namespace {

Result<void> choose_connection_ids(const Context& context, ProtocolVersion /*version*/,
                                   const ExtensionAgreement::Data& clients,
                                   AgreedExtensions& /*agreed*/) {
  if (!clients || !context.config.connection_id_size) return {};
  const auto peers = message::decode_connection_id(*clients);
  if (!peers) return malformed_extension("connection_id");
  const auto own = make_connection_id(context);
  if (!own) return forward_error(own);
  context.transport.records.set_connection_ids(own->bytes(), *peers);
  return {};
}

void put_connection_id_choice(wire::Writer& out, const ServersChoice& choice) {
  if (choice.ids.are_set()) message::put_connection_id(out, choice.ids.own());
}

Result<void> accept_connection_ids(const Context& context, const ExtensionAgreement::Data& servers,
                                   AgreedExtensions& /*agreed*/) {
  record::RecordLayer& records = context.transport.records;
  if (!servers) {
    ConnectionIdSource* const source = context.transport.connection_ids;
    if (source != nullptr && !records.connection_ids().own().empty()) {
      source->retire(records.connection_ids().own());
    }
    records.clear_connection_ids();
    return {};
  }
  // A HelloHook may have removed it from our hello, or added one that the records do not know.
  if (!is_solicited(context, wire::ExtensionType::connection_id) ||
      !records.connection_ids().are_set()) {
    return fatal(Errc::unsupported_extension, Alert::unsupported_extension, "connection_id");
  }
  const auto peers = message::decode_connection_id(*servers);
  if (!peers) return malformed_extension("connection_id");
  records.set_connection_ids(records.connection_ids().own(), *peers);
  return {};
}

}  // namespace

const ExtensionAgreement kConnectionIdAgreement{choose_connection_ids, put_connection_id_choice,
                                                accept_connection_ids};

Result<void> check_source(const ConfigOptions& config, const ConnectionIdSource* source) {
  const std::size_t size = config.connection_id_size.value_or(0);
  if (source == nullptr || size == 0 || size == source->size()) return {};
  return invalid_config("connection_id_size: not the size of the ConnectionIdSource");
}

Result<ConnectionId> make_connection_id(crypto::Library& library, std::size_t size,
                                        ConnectionIdSource* source) {
  std::array<std::byte, kMaxConnectionId> bytes{};
  const MutableBytes id = MutableBytes(bytes).first(size);
  if (id.empty()) return ConnectionId();
  const auto made = source != nullptr ? source->make(id) : library.public_random(id);
  if (!made) return forward_error(made);
  return ConnectionId(id);
}

Result<ConnectionId> make_connection_id(const Context& context) {
  return make_connection_id(context.library, context.config.connection_id_size.value_or(0),
                            context.transport.connection_ids);
}

}  // namespace sluice::dtls::handshake
