#include "negotiation/role_check.h"

#include "negotiation/config_rules.h"
#include "negotiation/fatal.h"
#include "negotiation/groups.h"
#include "negotiation/peer_certificate.h"

namespace sluice::dtls::handshake {

Result<void> check_role(const ConfigOptions& config, const crypto::Library& library, Role role) {
  if (usable_groups(config, library, role, config.max_version).empty()) {
    return invalid_config("groups: none that this libcrypto has");
  }
  if (role == Role::server && config.identities.empty() && !config.ask_for_identity &&
      !has_psk(config)) {
    return invalid_config("identities: none, and no PSK");
  }
  if (role == Role::client && verifies_chain(config) && expected_name(config).empty()) {
    return invalid_config("peer_name: none to verify, nor server_name");
  }
  return {};
}

}  // namespace sluice::dtls::handshake
