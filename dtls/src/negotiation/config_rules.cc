#include "negotiation/config_rules.h"

#include <algorithm>

namespace sluice::dtls::handshake {

bool is_allowed(const ConfigOptions& config, ProtocolVersion version) {
  // A later DTLS version has a lower number.
  return version <= config.min_version && version >= config.max_version;
}

ReturnRoutability return_routability(const ConfigOptions& config) {
  if (!config.connection_id_size) return ReturnRoutability::none;
  return config.return_routability.value_or(ReturnRoutability::enhanced);
}

bool has_psk(const ConfigOptions& config) {
  return !config.pre_shared_keys.empty() || config.ask_for_psk;
}

bool accepts(const ConfigOptions& config, CertificateType type) {
  const auto& types = config.peer_certificate_types;
  return std::ranges::find(types, type) != types.end();
}

bool has_mode(const ConfigOptions& config, PskKeyExchangeMode mode) {
  const auto& modes = config.psk_key_exchange_modes;
  return std::ranges::find(modes, mode) != modes.end();
}

bool uses_certificates(const ConfigOptions& config) {
  return !config.identities.empty() || config.ask_for_identity || config.trust_store ||
         accepts(config, CertificateType::raw_public_key) || !has_psk(config);
}

std::optional<schedule::CipherSuite12Parameters> find_suite12(const ConfigOptions& config,
                                                              CipherSuite suite) {
  if (const auto* known = schedule::find12(suite)) return *known;
  for (const auto& own : config.custom_cipher_suites) {
    if (own->id() != suite) continue;
    return schedule::CipherSuite12Parameters{suite, own->key_exchange(), own->hash(), own.get()};
  }
  return std::nullopt;
}

bool can_use(const ConfigOptions& config, CipherSuite suite) {
  const auto suite12 = find_suite12(config, suite);
  if (!suite12) return is_allowed(config, ProtocolVersion::dtls13);
  return is_allowed(config, ProtocolVersion::dtls12) &&
         (uses_psk(suite12->key_exchange) ? has_psk(config) : uses_certificates(config));
}

bool is_suite_offered(const ConfigOptions& config, CipherSuite suite) {
  return std::ranges::find(config.cipher_suites, suite) != config.cipher_suites.end() &&
         can_use(config, suite);
}

}  // namespace sluice::dtls::handshake
