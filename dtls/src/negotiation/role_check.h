// What a Config must have for one role, beyond what Config::make() checks for both.
#pragma once

#include <sluice/dtls/config.h>

namespace sluice::dtls::crypto {
class Library;
}

namespace sluice::dtls::handshake {

// Errors: invalid_config, whose detail starts with the name of the field.
Result<void> check_role(const ConfigOptions& config, const crypto::Library& library, Role role);

}  // namespace sluice::dtls::handshake
