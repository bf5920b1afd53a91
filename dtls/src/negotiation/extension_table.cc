#include "negotiation/extension_table.h"

#include <algorithm>
#include <array>

#include "message/application_protocols.h"
#include "message/certificate_types.h"
#include "message/code_list_extension.h"
#include "message/connection_id.h"
#include "message/ec_point_formats.h"
#include "message/key_share.h"
#include "message/max_fragment_length.h"
#include "message/record_size_limit.h"
#include "message/renegotiation_info.h"
#include "message/server_name.h"
#include "message/use_srtp.h"
#include "negotiation/agreed_extensions.h"
#include "negotiation/client_offer.h"
#include "negotiation/config_rules.h"
#include "negotiation/groups.h"
#include "negotiation/stored_session.h"

namespace sluice::dtls::handshake {
namespace {

using wire::ExtensionType;

// ---- when a client offers an extension

bool always(const ConfigOptions& /*config*/) { return true; }
bool allows12(const ConfigOptions& config) { return is_allowed(config, ProtocolVersion::dtls12); }
bool allows13(const ConfigOptions& config) { return is_allowed(config, ProtocolVersion::dtls13); }

bool has_server_name(const ConfigOptions& config) { return !config.server_name.empty(); }
bool has_srtp_profiles(const ConfigOptions& config) { return !config.srtp_profiles.empty(); }
bool has_protocols(const ConfigOptions& config) { return !config.application_protocols.empty(); }
bool has_record_size_limit(const ConfigOptions& config) {
  return config.record_size_limit.has_value();
}
// RFC 7250 section 4.1: without the extension X.509 is the only type.
bool is_x509_only(const std::vector<CertificateType>& types) {
  return types.size() == 1 && types.front() == CertificateType::x509;
}
bool has_own_types(const ConfigOptions& config) {
  return !is_x509_only(config.own_certificate_types);
}
bool has_peer_types(const ConfigOptions& config) {
  return !is_x509_only(config.peer_certificate_types);
}
bool has_fragment_length(const ConfigOptions& config) {
  return config.max_fragment_length.has_value();
}
bool has_connection_id_size(const ConfigOptions& config) {
  return config.connection_id_size.has_value();
}
bool has_return_routability(const ConfigOptions& config) {
  return return_routability(config) != ReturnRoutability::none;
}
bool has_certificate_schemes(const ConfigOptions& config) {
  return !config.certificate_signature_schemes.empty();
}
bool wants_extended_master_secret(const ConfigOptions& config) {
  return allows12(config) && config.extended_master_secret != ExtendedMasterSecret::disable;
}
bool needs_encrypt_then_mac_for_suite(const ConfigOptions& config) {
  return std::ranges::any_of(config.cipher_suites, [&](CipherSuite suite) {
    const auto suite12 = find_suite12(config, suite);
    return suite12 && needs_encrypt_then_mac(*suite12) && can_use(config, suite);
  });
}
bool takes_tickets12(const ConfigOptions& config) {
  return allows12(config) && config.resumption != Resumption::none;
}
// RFC 8446 section 9.2: a client that only takes psk_ke needs neither supported_groups nor
// key_share.
bool takes_groups(const ConfigOptions& config) {
  return allows12(config) || has_mode(config, PskKeyExchangeMode::psk_dhe_ke);
}
bool has_key_share(const ConfigOptions& config) {
  return allows13(config) && has_mode(config, PskKeyExchangeMode::psk_dhe_ke);
}
// Without psk_key_exchange_modes a server issues no tickets (RFC 8446 section 4.2.9).
bool uses_psk13(const ConfigOptions& config) {
  return allows13(config) &&
         (config.resumption != Resumption::none || !config.pre_shared_keys.empty());
}

// ---- how a ClientHello has it

template <ExtensionType Type>
Result<void> put_empty(wire::Writer& out, const HelloContents& /*hello*/) {
  message::put_empty_extension(out, Type);
  return {};
}

Result<void> put_name(wire::Writer& out, const HelloContents& hello) {
  message::put_server_name(out, hello.config.server_name);
  return {};
}

Result<void> put_renegotiation(wire::Writer& out, const HelloContents& /*hello*/) {
  message::put_renegotiation_info(out);
  return {};
}

Result<void> put_formats(wire::Writer& out, const HelloContents& /*hello*/) {
  message::put_point_formats(out);
  return {};
}

// RFC 5077 section 3.2: an empty extension requests a ticket.
Result<void> put_ticket12(wire::Writer& out, const HelloContents& hello) {
  message::put_extension(out, ExtensionType::session_ticket, [&](wire::Writer& data) {
    if (hello.offer.session12) data.bytes(hello.offer.session12->session().ticket);
  });
  return {};
}

Result<void> put_groups(wire::Writer& out, const HelloContents& hello) {
  message::put_code_list_extension(out, ExtensionType::supported_groups, hello.groups);
  return {};
}

Result<void> put_schemes(wire::Writer& out, const HelloContents& hello) {
  message::put_code_list_extension(out, ExtensionType::signature_algorithms,
                                   hello.config.signature_schemes);
  return {};
}

Result<void> put_certificate_schemes(wire::Writer& out, const HelloContents& hello) {
  message::put_code_list_extension(out, ExtensionType::signature_algorithms_cert,
                                   hello.config.certificate_signature_schemes);
  return {};
}

Result<void> put_srtp(wire::Writer& out, const HelloContents& hello) {
  message::put_use_srtp(out, hello.config.srtp_profiles, hello.config.srtp_mki);
  return {};
}

Result<void> put_protocols(wire::Writer& out, const HelloContents& hello) {
  message::put_application_protocols(out, hello.config.application_protocols);
  return {};
}

Result<void> put_size_limit(wire::Writer& out, const HelloContents& hello) {
  message::put_record_size_limit(
      out, *offered_record_size_limit(hello.config, hello.config.max_version));
  return {};
}

Result<void> put_fragment_length(wire::Writer& out, const HelloContents& hello) {
  message::put_max_fragment_length(out, offered_max_fragment_length(hello.config));
  return {};
}

Result<void> put_own_types(wire::Writer& out, const HelloContents& hello) {
  message::put_certificate_types(out, ExtensionType::client_certificate_type,
                                 hello.config.own_certificate_types);
  return {};
}

Result<void> put_peer_types(wire::Writer& out, const HelloContents& hello) {
  message::put_certificate_types(out, ExtensionType::server_certificate_type,
                                 hello.config.peer_certificate_types);
  return {};
}

Result<void> put_own_connection_id(wire::Writer& out, const HelloContents& hello) {
  message::put_connection_id(out, hello.offer.connection_id.bytes());
  return {};
}

Result<void> put_versions(wire::Writer& out, const HelloContents& hello) {
  message::put_extension(out, ExtensionType::supported_versions, [&](wire::Writer& data) {
    const auto list = data.vector8();
    data.code(ProtocolVersion::dtls13);
    if (allows12(hello.config)) data.code(ProtocolVersion::dtls12);
  });
  return {};
}

// Only a hello after a HelloRetryRequest has one (RFC 8446 section 4.2.2).
Result<void> put_retry_cookie(wire::Writer& out, const HelloContents& hello) {
  if (hello.offer.retry_cookie.empty()) return {};
  message::put_extension(out, ExtensionType::cookie, [&](wire::Writer& data) {
    const auto cookie = data.vector16({.min = 1});
    data.bytes(hello.offer.retry_cookie);
  });
  return {};
}

Result<void> put_key_shares(wire::Writer& out, const HelloContents& hello) {
  Result<void> outcome;
  message::put_extension(out, ExtensionType::key_share, [&](wire::Writer& data) {
    const auto list = data.vector16();
    for (const auto& key : hello.offer.keys) {
      const auto share = key.share();
      if (share) {
        message::put_share(data, {key.group(), share->bytes()});
      } else {
        outcome = forward_error(share);
      }
    }
  });
  return outcome;
}

Result<void> put_psk_modes(wire::Writer& out, const HelloContents& hello) {
  message::put_psk_key_exchange_modes(out, hello.config.psk_key_exchange_modes);
  return {};
}

Result<void> put_psks(wire::Writer& out, const HelloContents& hello) {
  if (!hello.offer.psks.empty()) put_psk_offers(out, hello.offer.psks, hello.now);
  return {};
}

// ---- the table

// NOLINTBEGIN(readability-identifier-naming): RFC 8446 section 4.2 abbreviates them so.
constexpr auto CH = ExtensionPlaces::client_hello;
constexpr auto SH = ExtensionPlaces::server_hello;
constexpr auto EE = ExtensionPlaces::encrypted_extensions;
constexpr auto HRR = ExtensionPlaces::hello_retry_request;
constexpr auto CR = ExtensionPlaces::certificate_request;
// NOLINTEND(readability-identifier-naming)

// clang-format off: one row per line
constexpr std::array kTable{
    ExtensionRow{ExtensionType::server_name, CH | EE, has_server_name, put_name, &kServerNameAgreement},
    // Extensions of DTLS 1.2 only. The ServerHello answers them.
    ExtensionRow{ExtensionType::renegotiation_info, CH, allows12, put_renegotiation, nullptr},
    ExtensionRow{ExtensionType::extended_master_secret, CH, wants_extended_master_secret, put_empty<ExtensionType::extended_master_secret>, nullptr},
    ExtensionRow{ExtensionType::ec_point_formats, CH, allows12, put_formats, nullptr},
    ExtensionRow{ExtensionType::encrypt_then_mac, CH, needs_encrypt_then_mac_for_suite, put_empty<ExtensionType::encrypt_then_mac>, nullptr},
    ExtensionRow{ExtensionType::session_ticket, CH, takes_tickets12, put_ticket12, nullptr},
    // Extensions of both versions.
    ExtensionRow{ExtensionType::supported_groups, CH | EE, takes_groups, put_groups, nullptr},
    ExtensionRow{ExtensionType::signature_algorithms, CH | CR, always, put_schemes, nullptr},
    ExtensionRow{ExtensionType::signature_algorithms_cert, CH | CR, has_certificate_schemes, put_certificate_schemes, nullptr},
    ExtensionRow{ExtensionType::use_srtp, CH | EE, has_srtp_profiles, put_srtp, &kUseSrtpAgreement},
    ExtensionRow{ExtensionType::application_layer_protocol_negotiation, CH | EE, has_protocols, put_protocols, &kApplicationProtocolAgreement},
    ExtensionRow{ExtensionType::client_certificate_type, CH | EE, has_own_types, put_own_types, &kClientCertificateTypeAgreement},
    ExtensionRow{ExtensionType::server_certificate_type, CH | EE, has_peer_types, put_peer_types, &kServerCertificateTypeAgreement},
    ExtensionRow{ExtensionType::record_size_limit, CH | EE, has_record_size_limit, put_size_limit, &kRecordSizeLimitAgreement},
    ExtensionRow{ExtensionType::max_fragment_length, CH | EE, has_fragment_length, put_fragment_length, &kMaxFragmentLengthAgreement},
    // RFC 9147 section 9 answers it in the ServerHello.
    ExtensionRow{ExtensionType::connection_id, CH | SH, has_connection_id_size, put_own_connection_id, &kConnectionIdAgreement},
    // It depends on what that agrees on.
    ExtensionRow{ExtensionType::rrc, CH | SH, has_return_routability, put_empty<ExtensionType::rrc>, &kReturnRoutabilityAgreement},
    // Extensions of DTLS 1.3 only.
    ExtensionRow{ExtensionType::supported_versions, CH | SH | HRR, allows13, put_versions, nullptr},
    ExtensionRow{ExtensionType::cookie, CH | HRR, nullptr, put_retry_cookie, nullptr},
    ExtensionRow{ExtensionType::key_share, CH | SH | HRR, has_key_share, put_key_shares, nullptr},
    ExtensionRow{ExtensionType::psk_key_exchange_modes, CH, uses_psk13, put_psk_modes, nullptr},
    ExtensionRow{ExtensionType::certificate_authorities, CH | CR, nullptr, nullptr, nullptr},
    // The last extension of a ClientHello: its binders sign all that precedes it (RFC 8446 section 4.2.11).
    ExtensionRow{ExtensionType::pre_shared_key, CH | SH, nullptr, put_psks, nullptr},
};
// clang-format on

const ExtensionRow* find_row(ExtensionType type) {
  const auto row = std::ranges::find(kTable, type, &ExtensionRow::type);
  return row != kTable.end() ? &*row : nullptr;
}

}  // namespace

std::span<const ExtensionRow> extension_table() { return kTable; }

bool belongs_in(ExtensionType type, ExtensionPlaces place) {
  const ExtensionRow* row = find_row(type);
  return row != nullptr && (row->places | place) == row->places;
}

bool all_belong_in(const message::ExtensionBlock& extensions, ExtensionPlaces place) {
  return extensions.all_of(
      [&](const auto& extension) { return belongs_in(extension.type, place); });
}

bool is_offered(const ConfigOptions& config, ExtensionType type) {
  const ExtensionRow* row = find_row(type);
  return row != nullptr && row->is_offered != nullptr && row->is_offered(config);
}

Result<void> put_offered_extensions(wire::Writer& out, const HelloContents& hello) {
  for (const ExtensionRow& row : kTable) {
    const bool is_left_out = row.is_offered != nullptr && !row.is_offered(hello.config);
    if (row.put == nullptr || is_left_out) continue;
    if (auto put = row.put(out, hello); !put) return put;
  }
  return {};
}

}  // namespace sluice::dtls::handshake
