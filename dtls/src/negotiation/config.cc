#include <algorithm>

#include <sluice/dtls/config.h>
#include <sluice/dtls/connection.h>
#include <sluice/dtls/connection_id.h>

#include "crypto/credentials.h"
#include "crypto/trust_anchors.h"
#include "message/max_fragment_length.h"
#include "message/new_session_ticket13.h"
#include "message/server_name.h"
#include "negotiation/config_rules.h"
#include "negotiation/fatal.h"
#include "negotiation/groups.h"
#include "negotiation/peer_certificate.h"
#include "record/replay_window.h"
#include "schedule/cipher_suite.h"

namespace sluice::dtls {
namespace {

template <class Code>
bool known(Code code) {
  return to_string(code) != "unknown";
}

bool is_supported(ProtocolVersion version) {
  return version == ProtocolVersion::dtls12 || version == ProtocolVersion::dtls13;
}

using handshake::has_psk;
using handshake::invalid_config;
using handshake::is_allowed;
using handshake::uses_certificates;

// Whether the Config has a suite for this version.
bool has_suite(const ConfigOptions& options, ProtocolVersion version) {
  return std::ranges::any_of(options.cipher_suites, [&](CipherSuite suite) {
    const auto suite12 = handshake::find_suite12(options, suite);
    if (!suite12) return version == ProtocolVersion::dtls13;
    return version == ProtocolVersion::dtls12 &&
           (uses_psk(suite12->key_exchange) ? has_psk(options) : uses_certificates(options));
  });
}

// Whether the Config has a group for DTLS 1.2; any group works with DTLS 1.3.
bool has_group12(const ConfigOptions& options) {
  return options.groups.empty() || std::ranges::any_of(options.groups, [](NamedGroup group) {
           return handshake::is_of_version(group, ProtocolVersion::dtls12);
         });
}

// Drops each version that has no suite or no group.
void drop_versions_without_means(ConfigOptions& options) {
  if (!has_suite(options, ProtocolVersion::dtls13)) options.max_version = ProtocolVersion::dtls12;
  if (!has_suite(options, ProtocolVersion::dtls12) || !has_group12(options)) {
    options.min_version = ProtocolVersion::dtls13;
  }
}

constexpr std::size_t kMaximumAuthorities = 16384;
constexpr std::size_t kMaximumHint = 128;  // RFC 4279 section 5.3
constexpr std::size_t kMaximumMtu = 16384;
// Longer than any credential should live; keeps times from overflowing.
constexpr Duration kMaximumSessionAge = std::chrono::hours{365 * 24};
constexpr std::size_t kMinimumMessage = 2048;
constexpr std::size_t kMaximumMessage = (std::size_t{1} << 24) - 1;

// Keeps deadlines from overflowing; no handshake needs to wait so long.
constexpr Duration kMaximumTimer = std::chrono::hours{24};

Result<void> check_timers(const RetransmissionTimers& timers) {
  if (timers.initial <= Duration::zero()) return invalid_config("timers.initial: must be above 0");
  if (!(timers.back_off >= 1.0)) return invalid_config("timers.back_off: must be 1 or more");
  if (timers.maximum < timers.initial)
    return invalid_config("timers.maximum: below timers.initial");
  if (timers.total <= Duration::zero()) return invalid_config("timers.total: must be above 0");
  if (timers.maximum > kMaximumTimer) return invalid_config("timers.maximum: above 24 h");
  if (timers.total > kMaximumTimer) return invalid_config("timers.total: above 24 h");
  return {};
}

// Sizes within these bounds let sealed_size() compute the size of a record before it is sealed.
bool is_sound(const std::shared_ptr<const CipherSuite12>& suite) {
  if (suite == nullptr) return false;
  const auto id = static_cast<std::uint16_t>(suite->id());
  const auto [mac_key, key, iv] = suite->key_sizes();
  const auto [head, tail] = suite->room();
  const bool has_hash =
      suite->hash() == HashAlgorithm::sha256 || suite->hash() == HashAlgorithm::sha384;
  return id >= CipherSuite12::kFirstPrivateUse && has_hash && mac_key <= KeySizes12::kMaxMacKey &&
         key <= KeySizes12::kMaxKey && iv <= KeySizes12::kMaxIv && head <= RecordRoom12::kMaxHead &&
         tail <= RecordRoom12::kMaxTail;
}

Result<void> check_lists(const ConfigOptions& options) {
  if (!std::ranges::all_of(options.custom_cipher_suites, is_sound)) {
    return invalid_config("custom_cipher_suites: number, hash or sizes out of range");
  }
  if (options.cipher_suites.empty()) return invalid_config("cipher_suites: none");
  if (!std::ranges::all_of(options.custom_cipher_suites, [&](const auto& suite) {
        return std::ranges::count(options.cipher_suites, suite->id()) != 0;
      })) {
    return invalid_config("custom_cipher_suites: one is not in cipher_suites");
  }
  if (!std::ranges::all_of(options.cipher_suites, [&](CipherSuite suite) {
        return handshake::find_suite12(options, suite) || schedule::find13(suite);
      })) {
    return invalid_config("cipher_suites: unknown suite");
  }
  if (!std::ranges::all_of(options.groups, known<NamedGroup>))
    return invalid_config("groups: unknown group");
  if (options.signature_schemes.empty()) return invalid_config("signature_schemes: none");
  if (!std::ranges::all_of(options.signature_schemes, known<SignatureScheme>)) {
    return invalid_config("signature_schemes: unknown scheme");
  }
  if (!std::ranges::all_of(options.certificate_signature_schemes, known<SignatureScheme>)) {
    return invalid_config("certificate_signature_schemes: unknown scheme");
  }
  if (!std::ranges::all_of(options.srtp_profiles, known<SrtpProfile>)) {
    return invalid_config("srtp_profiles: unknown profile");
  }
  if (options.srtp_profiles.empty() && !options.srtp_mki.empty()) {
    return invalid_config("srtp_mki: srtp_profiles is empty");
  }
  if (options.srtp_profiles.empty() && options.max_srtp_mki != 0) {
    return invalid_config("max_srtp_mki: srtp_profiles is empty");
  }
  // RFC 5764 section 4.1.1: srtp_mki<0..255>.
  if (options.srtp_mki.size() > 255) return invalid_config("srtp_mki: above 255 bytes");
  if (options.max_srtp_mki > 255) return invalid_config("max_srtp_mki: above 255 bytes");
  return {};
}

// A DNS name, not an address (RFC 6066 section 3).
bool is_host_name(std::string_view name) {
  const auto is_label_character = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
  };
  const auto is_of_address = [](char c) { return (c >= '0' && c <= '9') || c == '.'; };
  return name.size() <= message::kMaxHostName && std::ranges::all_of(name, is_label_character) &&
         !std::ranges::all_of(name, is_of_address);
}

Result<void> check_names(const ConfigOptions& options) {
  if (!options.server_name.empty() && !is_host_name(options.server_name)) {
    return invalid_config("server_name: no host's name");
  }
  if (options.peer_name.size() > message::kMaxHostName) {
    return invalid_config("peer_name: above 255 bytes");
  }
  std::size_t size = 0;
  for (const std::string& name : options.application_protocols) {
    if (name.empty() || name.size() > 255) {
      return invalid_config("application_protocols: not from 1 to 255 bytes");
    }
    size += 1 + name.size();
  }
  if (size > 65535) return invalid_config("application_protocols: too many");
  return {};
}

bool is_list_of_types(const std::vector<CertificateType>& types) {
  return !types.empty() && std::ranges::all_of(types, [&](CertificateType type) {
    return known(type) && std::ranges::count(types, type) == 1;
  });
}

bool has_type(const Identity& identity, CertificateType type) {
  return !identity.credentials().contents(type).empty();
}

// RFC 7250 section 4.1: a client offers no type that it does not possess.
Result<void> check_own_types(const ConfigOptions& options) {
  const auto& types = options.own_certificate_types;
  if (!is_list_of_types(types)) {
    return invalid_config("own_certificate_types: empty, unknown or repeated");
  }
  if (!std::ranges::all_of(options.identities, [&](const Identity& identity) {
        return std::ranges::any_of(types, [&](auto type) { return has_type(identity, type); });
      })) {
    return invalid_config("identities: one has none of own_certificate_types");
  }
  const bool has_all = std::ranges::all_of(types, [&](CertificateType type) {
    return std::ranges::any_of(options.identities,
                               [&](const auto& identity) { return has_type(identity, type); });
  });
  const bool is_default = types == std::vector{CertificateType::x509};
  if (!has_all && !is_default && !options.ask_for_identity) {
    return invalid_config("own_certificate_types: no identity has one of them");
  }
  return {};
}

Result<void> check_peer_types(const ConfigOptions& options) {
  if (!is_list_of_types(options.peer_certificate_types)) {
    return invalid_config("peer_certificate_types: empty, unknown or repeated");
  }
  if (!options.trust_store) return {};
  if (!handshake::accepts(options, CertificateType::x509)) {
    return invalid_config("peer_certificate_types: no x509, but a trust_store");
  }
  if (handshake::verifies_chain(options) && !options.ask_about_verified_peer &&
      handshake::accepts(options, CertificateType::raw_public_key)) {
    return invalid_config(
        "peer_certificate_types: no trust_store verifies a raw public key; set "
        "ask_about_verified_peer");
  }
  return {};
}

Result<void> check_verification(const ConfigOptions& options) {
  const bool verifies = handshake::verifies_chain(options);
  if (verifies && !options.trust_store) {
    return invalid_config("trust_store: none, but peer_authentication verifies");
  }
  if (!verifies && !options.peer_name.empty()) {
    return invalid_config("peer_name: peer_authentication does not verify");
  }
  if (!options.announce_authorities) {
    if (verifies || !options.trust_store) return {};
    return invalid_config("trust_store: peer_authentication does not verify");
  }
  if (!options.trust_store) return invalid_config("announce_authorities: no trust_store");
  if (!handshake::asks_for_certificate(options)) {
    return invalid_config("announce_authorities: peer_authentication is none");
  }
  std::size_t size = 0;
  for (const Buffer& name : options.trust_store->anchors().names()) size += 2 + name.size();
  if (size == 0) return invalid_config("announce_authorities: a trust_store without names");
  if (size > kMaximumAuthorities) return invalid_config("announce_authorities: above 16384 bytes");
  return {};
}

// Whether a suite can be used with the key.
bool has_suite_for(const ConfigOptions& options, const PreSharedKey& key) {
  return std::ranges::any_of(options.cipher_suites, [&](CipherSuite id) {
    if (const auto* suite13 = schedule::find13(id)) {
      return is_allowed(options, ProtocolVersion::dtls13) && suite13->hash == key.hash();
    }
    const auto suite12 = handshake::find_suite12(options, id);
    return suite12 && is_allowed(options, ProtocolVersion::dtls12) &&
           uses_psk(suite12->key_exchange);
  });
}

Result<void> check_psk_modes(const ConfigOptions& options) {
  const auto& modes = options.psk_key_exchange_modes;
  const bool is_list = std::ranges::all_of(modes, [&](PskKeyExchangeMode mode) {
    return known(mode) && std::ranges::count(modes, mode) == 1;
  });
  if (modes.empty() || !is_list) {
    return invalid_config("psk_key_exchange_modes: empty, unknown or repeated");
  }
  if (modes == std::vector{PskKeyExchangeMode::psk_dhe_ke}) return {};
  if (!is_allowed(options, ProtocolVersion::dtls13)) {
    return invalid_config("psk_key_exchange_modes: DTLS 1.3 only");
  }
  if (!has_psk(options) && options.resumption == Resumption::none) {
    return invalid_config("psk_key_exchange_modes: neither PSKs nor sessions");
  }
  return {};
}

// What has an effect in one version only, where that is not allowed.
Result<void> check_version_options(const ConfigOptions& options) {
  if (!is_allowed(options, ProtocolVersion::dtls13)) {
    if (options.record_padding > 1 && !options.connection_id_size) {
      return invalid_config("record_padding: DTLS 1.3 only, or with connection_id_size");
    }
    if (options.max_records_per_key != UINT64_MAX) {
      return invalid_config("max_records_per_key: DTLS 1.3 only");
    }
    if (options.resumption != Resumption::none &&
        options.extended_master_secret == ExtendedMasterSecret::disable) {
      return invalid_config("resumption: DTLS 1.2 needs extended_master_secret (RFC 7627)");
    }
  }
  if (!options.psk_identity_hint.empty() &&
      (!has_psk(options) || !is_allowed(options, ProtocolVersion::dtls12))) {
    return invalid_config("psk_identity_hint: only with PSKs in DTLS 1.2");
  }
  if (!std::ranges::all_of(options.pre_shared_keys,
                           [&](const PreSharedKey& key) { return has_suite_for(options, key); })) {
    return invalid_config("pre_shared_keys: a key that no suite of cipher_suites fits");
  }
  return {};
}

Result<void> check_resumption(const ConfigOptions& options) {
  if (options.ticket_keys && options.resumption != Resumption::tickets) {
    return invalid_config("ticket_keys: resumption is not by tickets");
  }
  if (options.max_session_age < options.session_lifetime ||
      options.max_session_age > kMaximumSessionAge) {
    return invalid_config("max_session_age: not from session_lifetime to 365 days");
  }
  if (options.policy_id.size() > kMaxPolicyId) return invalid_config("policy_id: above 255 bytes");
  return {};
}

Result<void> check_credentials(const ConfigOptions& options) {
  if (options.psk_identity_hint.size() > kMaximumHint) {
    return invalid_config("psk_identity_hint: above 128 bytes");
  }
  if (options.session_lifetime <= Duration::zero() ||
      options.session_lifetime > message::NewSessionTicket13::kMaxLifetime) {
    return invalid_config("session_lifetime: not from above 0 to 7 days");
  }
  if (options.ticket_keys && options.session_lifetime > options.ticket_keys->rotation()) {
    return invalid_config("session_lifetime: above ticket_keys' rotation");
  }
  return check_resumption(options);
}

Result<void> check_records(const ConfigOptions& options) {
  const auto& limit = options.record_size_limit;
  if (limit && (*limit < kMinimumRecordSizeLimit || *limit > kMaximumRecordSizeLimit)) {
    return invalid_config("record_size_limit: not from 64 to 16385");
  }
  if (options.max_fragment_length && !message::length_of(*options.max_fragment_length)) {
    return invalid_config("max_fragment_length: none of 512, 1024, 2048, 4096");
  }
  if (options.record_padding > kMaxApplicationData)
    return invalid_config("record_padding: above 16384");
  if (options.replay_window % record::ReplayWindow::kUnit != 0 ||
      options.replay_window > ConfigOptions::kMaximumReplayWindow) {
    return invalid_config("replay_window: not a multiple of 64 up to 8192");
  }
  // RFC 9147 section 4.5.3: a tag of 8 bytes needs a limit.
  if (std::ranges::count(options.cipher_suites, CipherSuite::aes_128_ccm_8_sha256) != 0 &&
      options.max_forgeries_per_key == UINT64_MAX) {
    return invalid_config(
        "max_forgeries_per_key: TLS_AES_128_CCM_8_SHA256 needs a limit, such as 11863283");
  }
  // RFC 9146 section 3: opaque cid<0..2^8-1>.
  if (options.connection_id_size.value_or(0) > kMaxConnectionId) {
    return invalid_config("connection_id_size: above 255 bytes");
  }
  // RFC 9853 section 3.
  const auto routability = options.return_routability.value_or(ReturnRoutability::none);
  if (routability > ReturnRoutability::enhanced) {
    return invalid_config("return_routability: unknown kind");
  }
  if (routability != ReturnRoutability::none && !options.connection_id_size) {
    return invalid_config("return_routability: needs connection_id_size");
  }
  if (options.max_records_per_key < 2) return invalid_config("max_records_per_key: below 2");
  return {};
}

Result<void> check(const ConfigOptions& options) {
  if (auto credentials = check_credentials(options); !credentials) return credentials;
  if (auto own_types = check_own_types(options); !own_types) return own_types;
  if (auto verification = check_verification(options); !verification) return verification;
  if (auto peer_types = check_peer_types(options); !peer_types) return peer_types;
  if (!is_supported(options.min_version))
    return invalid_config("min_version: only DTLS 1.2 and 1.3");
  if (!is_supported(options.max_version))
    return invalid_config("max_version: only DTLS 1.2 and 1.3");
  // A later DTLS version has a lower number.
  if (options.max_version > options.min_version)
    return invalid_config("max_version: below min_version");
  if (auto lists = check_lists(options); !lists) return lists;
  if (auto names = check_names(options); !names) return names;
  if (options.mtu < kMinimumMtu || options.mtu > kMaximumMtu)
    return invalid_config("mtu: not from 256 to 16384");
  if (options.max_handshake_message < kMinimumMessage ||
      options.max_handshake_message > kMaximumMessage) {
    return invalid_config("max_handshake_message: not from 2048 to 2^24 - 1");
  }
  if (options.max_reassembly < options.max_handshake_message) {
    return invalid_config("max_reassembly: below max_handshake_message");
  }
  if (auto records = check_records(options); !records) return records;
  return check_timers(options.timers);
}

}  // namespace

std::vector<CipherSuite> ConfigOptions::default_cipher_suites() {
  return {CipherSuite::aes_128_gcm_sha256, CipherSuite::aes_256_gcm_sha384,
          CipherSuite::chacha20_poly1305_sha256, CipherSuite::ecdhe_ecdsa_with_aes_128_gcm_sha256,
          CipherSuite::ecdhe_ecdsa_with_aes_256_gcm_sha384,
          CipherSuite::ecdhe_ecdsa_with_chacha20_poly1305_sha256,
          CipherSuite::ecdhe_rsa_with_aes_128_gcm_sha256,
          CipherSuite::ecdhe_rsa_with_aes_256_gcm_sha384,
          CipherSuite::ecdhe_rsa_with_chacha20_poly1305_sha256,
          // Suites with a PSK. RFC 7252 section 9.1.3.1 requires the last one.
          CipherSuite::ecdhe_psk_with_aes_128_gcm_sha256,
          CipherSuite::ecdhe_psk_with_aes_256_gcm_sha384,
          CipherSuite::ecdhe_psk_with_chacha20_poly1305_sha256,
          CipherSuite::psk_with_aes_128_gcm_sha256, CipherSuite::psk_with_aes_256_gcm_sha384,
          CipherSuite::psk_with_chacha20_poly1305_sha256, CipherSuite::psk_with_aes_128_ccm,
          CipherSuite::psk_with_aes_128_ccm_8};
}

std::vector<SignatureScheme> ConfigOptions::default_signature_schemes() {
  return {SignatureScheme::ecdsa_secp256r1_sha256,
          SignatureScheme::ecdsa_secp384r1_sha384,
          SignatureScheme::rsa_pss_rsae_sha256,
          SignatureScheme::rsa_pss_rsae_sha384,
          SignatureScheme::rsa_pss_rsae_sha512,
          SignatureScheme::rsa_pkcs1_sha256,
          SignatureScheme::rsa_pkcs1_sha384,
          SignatureScheme::rsa_pkcs1_sha512,
          SignatureScheme::ed25519};
}

Result<ConfigPtr> Config::make(ConfigOptions options) {
  if (auto checked = check(options); !checked) return forward_error(checked);
  drop_versions_without_means(options);
  if (options.max_version > options.min_version) {
    return invalid_config(has_group12(options) ? "cipher_suites: none for the versions allowed"
                                               : "groups: none for the versions allowed");
  }
  if (auto fits = check_version_options(options); !fits) return forward_error(fits);
  if (auto modes = check_psk_modes(options); !modes) return forward_error(modes);
  return ConfigPtr(new Config(std::move(options)));
}

}  // namespace sluice::dtls
