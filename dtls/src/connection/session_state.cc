// The public face of an exported session.
#include <sluice/dtls/live_session.h>

#include "connection/live_form.h"

namespace sluice::dtls {

std::string_view to_string(ExportBlocked reason) {
  switch (reason) {
    case ExportBlocked::not_connected:
      return "not connected";
    case ExportBlocked::outputs_pending:
      return "outputs are to be polled";
    case ExportBlocked::handshake_unconfirmed:
      return "the server has not acknowledged our Finished yet";
  }
  return "unknown";
}

Result<SessionState> SessionState::parse(Bytes bytes) {
  const auto session = connection::LiveSession::decode(bytes);
  if (!session) return forward_error(session);
  return SessionState(Buffer(bytes.begin(), bytes.end()));
}

namespace {

// After the format; see live_form::visit_fields().
constexpr std::size_t kFlagsAt = sizeof connection::live_form::kFormat;
constexpr std::size_t kTagAt = kFlagsAt + connection::live_form::kFlagsSize + sizeof(CipherSuite);

unsigned flags_in(Bytes bytes) { return wire::Reader(bytes.subspan(kFlagsAt)).u24(); }

}  // namespace

Bytes SessionState::tag() const {
  if (bytes_.empty()) return {};
  // A length of one byte.
  return wire::Reader(bytes().subspan(kTagAt)).vector8();
}

Role SessionState::role() const {
  return !bytes_.empty() && (flags_in(bytes()) & connection::live_form::kIsServer) != 0
             ? Role::server
             : Role::client;
}

ProtocolVersion SessionState::version() const {
  return !bytes_.empty() && (flags_in(bytes()) & connection::live_form::kIsDtls13) != 0
             ? ProtocolVersion::dtls13
             : ProtocolVersion::dtls12;
}

std::vector<ConnectionId> SessionState::own_connection_ids() const {
  const auto session = connection::LiveSession::decode(bytes());
  if (!session || !session->connection_ids) return {};
  std::vector<ConnectionId> ids;
  for (const Buffer& id : session->connection_ids->own) ids.emplace_back(Bytes(id));
  return ids;
}

}  // namespace sluice::dtls
