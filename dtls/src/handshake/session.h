// The result of a complete handshake of either version.
#pragma once

#include <optional>
#include <string_view>
#include <variant>

#include <sluice/dtls/statistics.h>

#include "handshake12/session12.h"
#include "handshake13/session13.h"

namespace sluice::dtls::handshake {

using Session = std::variant<Session12, Session13>;
// A view of a session.
using SessionView = std::variant<const Session12*, const Session13*>;

// All but what the record layer and the identity of the peer give.
ConnectionInfo info_of(SessionView session, Role role);

const AgreedExtensions& extensions_of(SessionView session);

// RFC 5705 and RFC 8446 section 7.5.
Result<void> export_keying_material(crypto::Library& library, SessionView session,
                                    std::string_view label, std::optional<Bytes> context,
                                    MutableBytes out);

}  // namespace sluice::dtls::handshake
