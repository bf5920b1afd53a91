// What both versions agree on by extensions that the server answers one by one.
#pragma once

#include <optional>
#include <string>

#include <sluice/dtls/config.h>

#include "message/extension_block.h"

namespace sluice::dtls::handshake {

struct AgreedExtensions {
  std::optional<SrtpProfile> srtp_profile = {};
  std::string application_protocol = {};  // empty: none
  std::string server_name = {};           // that the client has asked for; empty: none
};

// The name that a client asks for; empty without one. Errors: decode_error.
Result<std::string> requested_server_name(const message::ExtensionBlock& clients);

// A server's choice. Its own order decides: of SRTP profiles GCM comes first although libwebrtc
// lists AES_CM before it. Errors: decode_error; no_common_application_protocol with
// no_application_protocol (RFC 7301 section 3.2).
Result<AgreedExtensions> agree_on_extensions(const ConfigOptions& config,
                                             const message::ExtensionBlock& clients);
// What tells the client.
void put_agreed_extensions(wire::Writer& out, const AgreedExtensions& agreed);

// The server's answers: exactly one protocol and one SRTP profile of ours, and no MKI as we offered
// none (RFC 5764 section 4.1.1). Errors: decode_error, illegal_parameter.
Result<AgreedExtensions> accepted_extensions(const ConfigOptions& config,
                                             const message::ExtensionBlock& servers);

}  // namespace sluice::dtls::handshake
