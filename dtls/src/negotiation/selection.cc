#include "negotiation/selection.h"

#include <algorithm>
#include <span>
#include <string_view>

#include "message/code_list_extension.h"
#include "message/key_share.h"
#include "message/pre_shared_key.h"
#include "negotiation/config_rules.h"
#include "negotiation/fatal.h"

namespace sluice::dtls::handshake {
namespace {

using message::ListWidth;
using wire::ExtensionType;

// An extension that is a list of codes; an absent one gives an empty list. A list in a message is
// never empty.
template <class Code>
Result<wire::CodeList<Code>> offered(const message::ClientHello& hello, ExtensionType type,
                                     ListWidth width, std::string_view name) {
  const auto data = hello.extensions.find(type);
  if (!data) return wire::CodeList<Code>();
  const auto list = message::decode_code_list<Code>(*data, width);
  if (!list) return malformed_extension(name);
  return *list;
}

// If the client lists curves, the curve of the server's certificate must be among them (RFC 8422
// section 5.1).
bool curve_is_listed(crypto::KeyType type, wire::CodeList<NamedGroup> groups) {
  switch (type) {
    case crypto::KeyType::ecdsa_p256:
      return groups.empty() || groups.contains(NamedGroup::secp256r1);
    case crypto::KeyType::ecdsa_p384:
      return groups.empty() || groups.contains(NamedGroup::secp384r1);
    case crypto::KeyType::ed25519:
    case crypto::KeyType::rsa:
      return true;
  }
  return false;
}

Result<NamedGroup> choose_group12(const ConfigOptions& config, const crypto::Library& library,
                                  wire::CodeList<NamedGroup> groups) {
  const auto usable = usable_groups(config, library, Role::server, ProtocolVersion::dtls12);
  // Without the extension the server may choose any curve (RFC 8422 section 4). P-256 is the one
  // that every implementation has.
  const auto group = !groups.empty() ? groups.first_common(usable)
                     : contains(usable, NamedGroup::secp256r1)
                         ? std::optional(NamedGroup::secp256r1)
                         : std::nullopt;
  if (!group) return fatal(Errc::no_common_group, Alert::handshake_failure);
  return *group;
}

// The suites of both sides in the server's order, before credentials are looked at.
std::vector<schedule::CipherSuite12Parameters> common_suites12(const ConfigOptions& config,
                                                               const message::ClientHello& hello,
                                                               bool has_group) {
  const bool encrypt_then_mac = hello.extensions.has(ExtensionType::encrypt_then_mac);
  std::vector<schedule::CipherSuite12Parameters> common;
  for (const CipherSuite id : config.cipher_suites) {
    const auto suite = find_suite12(config, id);
    if (!suite || !hello.cipher_suites.contains(id)) continue;
    // RFC 7366: without encrypt-then-MAC, CBC suites are open to padding oracles.
    if (needs_encrypt_then_mac(*suite) && !encrypt_then_mac) continue;
    if (uses_ecdhe(suite->key_exchange) && !has_group) continue;
    common.push_back(*suite);
  }
  return common;
}

// RFC 7250 section 4.2.
Result<void> check_types(const ConfigOptions& config,
                         const message::CertificateCriteria& criteria) {
  if (std::ranges::any_of(config.own_certificate_types,
                          [&](CertificateType type) { return criteria.types.has(type); })) {
    return {};
  }
  return fatal(Errc::unsupported_certificate, Alert::unsupported_certificate,
               "the client accepts none of own_certificate_types");
}

constexpr std::string_view kNoneEnabled =
    "the client offers none of ConfigOptions::cipher_suites for this version";

// Why none of the suites in common can be used.
std::string_view no_suite_detail(const Context& context,
                                 std::span<const schedule::CipherSuite12Parameters> common) {
  if (common.empty()) return kNoneEnabled;
  if (context.identities().empty()) {
    return "the suites in common need a certificate, and this server has none";
  }
  const bool want_rsa = std::ranges::any_of(
      common, [](const auto& suite) { return suite.key_exchange == KeyExchange12::ecdhe_rsa; });
  const bool want_ecdsa = std::ranges::any_of(
      common, [](const auto& suite) { return suite.key_exchange == KeyExchange12::ecdhe_ecdsa; });
  if (want_rsa && !want_ecdsa) {
    return "the suites in common need a certificate with an RSA key, and this server has none";
  }
  if (want_ecdsa && !want_rsa) {
    return "the suites in common need a certificate with an ECDSA or Ed25519 key on a curve that "
           "the client lists, and this server has none";
  }
  return "the suites in common need a PSK or a certificate that this server does not have";
}

// A hello with neither groups nor shares offers PSKs with psk_ke (RFC 8446 section 9.2).
Result<Choice13> choose_without_group13(const ConfigOptions& config,
                                        const message::ClientHello& hello) {
  const auto data = hello.extensions.find(ExtensionType::psk_key_exchange_modes);
  const auto modes = data ? message::decode_psk_key_exchange_modes(*data) : std::nullopt;
  constexpr std::byte kPskKe{static_cast<std::uint8_t>(PskKeyExchangeMode::psk_ke)};
  if (!hello.extensions.has(ExtensionType::pre_shared_key) || !modes || !contains(*modes, kPskKe)) {
    return missing_extension("supported_groups");
  }
  if (!has_mode(config, PskKeyExchangeMode::psk_ke)) {
    return fatal(Errc::psk_mismatch, Alert::handshake_failure, kPskKeOnly);
  }
  const auto* suite = choose_suite13(config, hello);
  if (suite == nullptr) {
    return fatal(Errc::no_common_cipher_suite, Alert::handshake_failure, kNoneEnabled);
  }
  return Choice13{suite, {}, {}};
}

}  // namespace

bool authenticates(KeyExchange12 exchange, crypto::KeyType type) {
  return !uses_psk(exchange) &&
         (exchange == KeyExchange12::ecdhe_rsa) == (type == crypto::KeyType::rsa);
}

Result<ProtocolVersion> choose_version(const ConfigOptions& config,
                                       const message::ClientHello& hello) {
  const auto none = [] { return fatal(Errc::no_common_version, Alert::protocol_version); };
  const auto versions = offered<ProtocolVersion>(hello, ExtensionType::supported_versions,
                                                 ListWidth::one, "supported_versions");
  if (!versions) return forward_error(versions);
  // If the extension is present, it alone counts (RFC 8446 section 4.2.1). Otherwise a client whose
  // legacy_version is later than all of ours gets ours (RFC 5246 appendix E.1); a later DTLS
  // version has a lower number.
  const auto supports = [&](ProtocolVersion version) {
    if (!versions->empty()) return versions->contains(version);
    return version == ProtocolVersion::dtls12 && hello.legacy_version <= ProtocolVersion::dtls12;
  };
  for (const ProtocolVersion version : {ProtocolVersion::dtls13, ProtocolVersion::dtls12}) {
    if (is_allowed(config, version) && supports(version)) return version;
  }
  return none();
}

const schedule::CipherSuite13Parameters* choose_suite13(const ConfigOptions& config,
                                                        const message::ClientHello& hello,
                                                        std::optional<HashAlgorithm> hash) {
  for (const CipherSuite id : config.cipher_suites) {
    const auto* suite = schedule::find13(id);
    const bool fits = suite != nullptr && (!hash || suite->hash == *hash);
    if (fits && hello.cipher_suites.contains(id)) return suite;
  }
  return nullptr;
}

Result<message::CertificateCriteria> certificate_criteria(
    const message::ExtensionBlock& extensions) {
  const auto criteria = message::criteria_of(extensions);
  if (!criteria) return malformed_extension("extension about certificates");
  return *criteria;
}

Result<OwnIdentity> choose_identity13(const Context& context,
                                      const message::CertificateCriteria& criteria) {
  if (criteria.schemes.empty()) return missing_extension("signature_algorithms");
  auto own = choose_identity(context, context.terms.server_name, criteria, crypto::can_sign13);
  if (!own) {
    if (auto typed = check_types(context.config, criteria); !typed) return forward_error(typed);
    return fatal(Errc::no_common_signature_scheme, Alert::handshake_failure,
                 context.identities().empty()
                     ? "this server has no certificate, and no PSK of the client that it can use"
                     : "the client accepts no signature that this side's keys can make");
  }
  return std::move(*own);
}

Result<Choice13> choose13(const ConfigOptions& config, const crypto::Library& library,
                          const message::ClientHello& hello) {
  const auto groups = offered<NamedGroup>(hello, ExtensionType::supported_groups, ListWidth::two,
                                          "supported_groups");
  if (!groups) return forward_error(groups);
  const auto share_data = hello.extensions.find(ExtensionType::key_share);
  if (groups->empty() && !share_data) return choose_without_group13(config, hello);
  if (groups->empty()) return missing_extension("supported_groups");
  if (!share_data) return missing_extension("key_share");
  const auto shares = message::ClientShares::decode(*share_data);
  if (!shares) return malformed_extension("key_share");

  const auto* suite = choose_suite13(config, hello);
  if (suite == nullptr) {
    return fatal(Errc::no_common_cipher_suite, Alert::handshake_failure, kNoneEnabled);
  }
  // A group with a share, which saves a round trip, comes before a more preferred group without.
  const auto usable = usable_groups(config, library, Role::server, ProtocolVersion::dtls13);
  for (const NamedGroup group : usable) {
    const auto share = shares->find(group);
    if (share && groups->contains(group)) return Choice13{suite, group, share};
  }
  const auto group = groups->first_common(usable);
  if (!group) return fatal(Errc::no_common_group, Alert::handshake_failure);
  return Choice13{suite, group, std::nullopt};
}

Result<Choice12> choose12(const Context& context, const message::ClientHello& hello) {
  const ConfigOptions& config = context.config;
  const auto groups = offered<NamedGroup>(hello, ExtensionType::supported_groups, ListWidth::two,
                                          "supported_groups");
  if (!groups) return forward_error(groups);
  // Without signature_algorithms the client accepts SHA-1 only (RFC 5246 section 7.4.1.4.1), which
  // this engine does not have.
  const auto criteria = certificate_criteria(hello.extensions);
  if (!criteria) return forward_error(criteria);

  const auto group = choose_group12(config, context.library, *groups);
  const auto common = common_suites12(config, hello, group.has_value());
  auto own = choose_identity(
      context, context.terms.server_name, *criteria, crypto::can_sign12, [&](crypto::KeyType key) {
        return curve_is_listed(key, *groups) && std::ranges::any_of(common, [&](const auto& suite) {
                 return authenticates(suite.key_exchange, key);
               });
      });
  for (const auto& suite : common) {
    const bool with_psk = uses_psk(suite.key_exchange);
    const bool can_prove =
        with_psk ? has_psk(config)
                 : own && authenticates(suite.key_exchange, own->identity.credentials().type());
    if (!can_prove) continue;
    return Choice12{suite, with_psk ? std::nullopt : std::move(own),
                    uses_ecdhe(suite.key_exchange) ? std::optional(*group) : std::nullopt};
  }
  if (!group) return forward_error(group);
  if (!context.identities().empty()) {
    if (auto typed = check_types(config, *criteria); !typed) return forward_error(typed);
  }
  if (!context.identities().empty() &&
      !choose_identity(context, context.terms.server_name, *criteria, crypto::can_sign12)) {
    return fatal(Errc::no_common_signature_scheme, Alert::handshake_failure,
                 "the client accepts no signature that this side's keys can make");
  }
  return fatal(Errc::no_common_cipher_suite, Alert::handshake_failure,
               no_suite_detail(context, common));
}

}  // namespace sluice::dtls::handshake
