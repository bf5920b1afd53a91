#include "handshake/role_check.h"

#include "handshake/client_offer.h"
#include "handshake/groups.h"
#include "handshake/peer_certificate.h"

namespace sluice::dtls::handshake {
namespace {

tl::unexpected<Error> invalid(std::string_view detail) {
  return tl::unexpected(Error{Errc::invalid_config, {}, 0, detail});
}

}  // namespace

Result<void> check_role(const ConfigOptions& config, const crypto::Library& library, Role role) {
  if (usable_groups(config, library, role, config.max_version).empty()) {
    return invalid("groups: none that this libcrypto has");
  }
  if (role == Role::server && config.identities.empty() && !config.ask_for_identity &&
      !has_psk(config)) {
    return invalid("identities: none, and no PSK");
  }
  if (role == Role::client && verifies_chain(config) && expected_name(config).empty()) {
    return invalid("peer_name: none to verify, nor server_name");
  }
  return {};
}

}  // namespace sluice::dtls::handshake
