// What a Config must have for one role, beyond what Config::make() checks for both.
#pragma once

#include <sluice/dtls/config.h>

namespace sluice::dtls::crypto {
class Library;
}

namespace sluice::dtls::handshake {

// Where a server asks for its Config, check_answering_server() is left out. Errors: invalid_config,
// whose detail starts with the name of the field.
Result<void> check_role(const ConfigOptions& config, const crypto::Library& library, Role role);

// What the Config must have by which a server answers, whether it asks for one itself or not.
Result<void> check_answering_server(const ConfigOptions& config);

}  // namespace sluice::dtls::handshake
