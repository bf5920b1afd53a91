#include "negotiation/role_check.h"

#include "negotiation/config_rules.h"
#include "negotiation/fatal.h"
#include "negotiation/groups.h"
#include "negotiation/peer_certificate.h"

namespace sluice::dtls::handshake {
namespace {

Result<void> check_client(const ConfigOptions& config) {
  const bool allows12 = is_allowed(config, ProtocolVersion::dtls12);
  const bool allows13 = is_allowed(config, ProtocolVersion::dtls13);
  if (config.ask_for_config) return invalid_config("ask_for_config: a client is not asked");
  if (config.ask_for_psk && !allows12) {
    return invalid_config("ask_for_psk: a client is asked in DTLS 1.2 only");
  }
  const std::size_t keys = config.pre_shared_keys.size();
  if (keys > kMaxOfferedPsks) return invalid_config("pre_shared_keys: a client offers at most 8");
  if (keys > 1 && !allows13) {
    return invalid_config("pre_shared_keys: a client of DTLS 1.2 uses only one");
  }
  // Without a key_share no certificate can be used, nor a suite of DTLS 1.2 with ECDHE.
  const bool has_key_share = !allows13 || has_mode(config, PskKeyExchangeMode::psk_dhe_ke);
  if (!has_key_share && (allows12 || config.pre_shared_keys.empty())) {
    return invalid_config(
        "psk_key_exchange_modes: a client without psk_dhe_ke needs pre_shared_keys, and DTLS 1.3 "
        "alone");
  }
  if (verifies_chain(config) && expected_name(config).empty()) {
    return invalid_config("peer_name: none to verify, nor server_name");
  }
  return {};
}

}  // namespace

Result<void> check_answering_server(const ConfigOptions& config) {
  if (config.identities.empty() && !config.ask_for_identity && !has_psk(config)) {
    return invalid_config("identities: a server needs one, or PSKs");
  }
  if (!asks_for_certificate(config) && accepts(config, CertificateType::raw_public_key)) {
    return invalid_config("peer_certificate_types: peer_authentication is none");
  }
  if (config.max_fragment_length) {
    return invalid_config("max_fragment_length: only a client asks for it");
  }
  if (config.resumption == Resumption::tickets && !config.ticket_keys) {
    return invalid_config("ticket_keys: a server needs them for Resumption::tickets");
  }
  return {};
}

Result<void> check_role(const ConfigOptions& config, const crypto::Library& library, Role role) {
  if (usable_groups(config, library, role, config.max_version).empty()) {
    return invalid_config("groups: none that this libcrypto has");
  }
  if (role == Role::client) return check_client(config);
  // The Config that the caller chooses must have the rest.
  return config.ask_for_config ? Result<void>() : check_answering_server(config);
}

}  // namespace sluice::dtls::handshake
