#include "tools/tool_options.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <iomanip>
#include <iterator>
#include <map>
#include <span>
#include <sstream>

namespace sluice::interop::tools {
namespace {

using dtls::CipherSuite;
using dtls::NamedGroup;
using Failure = tl::unexpected<std::string>;

template <class Value>
struct Named {
  Value value;
  std::string_view name;  // openssl's name; IANA's is accepted too
};

constexpr std::array kSuites12{
    Named{CipherSuite::ecdhe_ecdsa_with_aes_128_gcm_sha256, "ECDHE-ECDSA-AES128-GCM-SHA256"},
    Named{CipherSuite::ecdhe_rsa_with_aes_128_gcm_sha256, "ECDHE-RSA-AES128-GCM-SHA256"},
    Named{CipherSuite::ecdhe_ecdsa_with_aes_256_gcm_sha384, "ECDHE-ECDSA-AES256-GCM-SHA384"},
    Named{CipherSuite::ecdhe_rsa_with_aes_256_gcm_sha384, "ECDHE-RSA-AES256-GCM-SHA384"},
    Named{CipherSuite::ecdhe_ecdsa_with_chacha20_poly1305_sha256, "ECDHE-ECDSA-CHACHA20-POLY1305"},
    Named{CipherSuite::ecdhe_rsa_with_chacha20_poly1305_sha256, "ECDHE-RSA-CHACHA20-POLY1305"},
    Named{CipherSuite::ecdhe_ecdsa_with_aes_128_ccm, "ECDHE-ECDSA-AES128-CCM"},
    Named{CipherSuite::ecdhe_ecdsa_with_aes_256_ccm, "ECDHE-ECDSA-AES256-CCM"},
    Named{CipherSuite::ecdhe_ecdsa_with_aes_128_ccm_8, "ECDHE-ECDSA-AES128-CCM8"},
    Named{CipherSuite::ecdhe_ecdsa_with_aes_256_ccm_8, "ECDHE-ECDSA-AES256-CCM8"},
    Named{CipherSuite::psk_with_aes_128_gcm_sha256, "PSK-AES128-GCM-SHA256"},
    Named{CipherSuite::psk_with_aes_256_gcm_sha384, "PSK-AES256-GCM-SHA384"},
    Named{CipherSuite::psk_with_chacha20_poly1305_sha256, "PSK-CHACHA20-POLY1305"},
    Named{CipherSuite::psk_with_aes_128_ccm, "PSK-AES128-CCM"},
    Named{CipherSuite::psk_with_aes_256_ccm, "PSK-AES256-CCM"},
    Named{CipherSuite::psk_with_aes_128_ccm_8, "PSK-AES128-CCM8"},
    Named{CipherSuite::psk_with_aes_256_ccm_8, "PSK-AES256-CCM8"},
    Named{CipherSuite::psk_with_aes_128_cbc_sha256, "PSK-AES128-CBC-SHA256"},
    Named{CipherSuite::ecdhe_psk_with_aes_128_cbc_sha256, "ECDHE-PSK-AES128-CBC-SHA256"},
    Named{CipherSuite::ecdhe_psk_with_chacha20_poly1305_sha256, "ECDHE-PSK-CHACHA20-POLY1305"},
};
constexpr std::array kSuites13{
    Named{CipherSuite::aes_128_gcm_sha256, "TLS_AES_128_GCM_SHA256"},
    Named{CipherSuite::aes_256_gcm_sha384, "TLS_AES_256_GCM_SHA384"},
    Named{CipherSuite::chacha20_poly1305_sha256, "TLS_CHACHA20_POLY1305_SHA256"},
    Named{CipherSuite::aes_128_ccm_sha256, "TLS_AES_128_CCM_SHA256"},
};
constexpr std::array kGroups{
    Named{NamedGroup::x25519, "X25519"},
    Named{NamedGroup::secp256r1, "P-256"},
    Named{NamedGroup::secp384r1, "P-384"},
    Named{NamedGroup::x25519_mlkem768, "X25519MLKEM768"},
};

constexpr std::array kSrtpProfiles{
    Named{dtls::SrtpProfile::aead_aes_256_gcm, "SRTP_AEAD_AES_256_GCM"},
    Named{dtls::SrtpProfile::aead_aes_128_gcm, "SRTP_AEAD_AES_128_GCM"},
    Named{dtls::SrtpProfile::aes128_cm_hmac_sha1_80, "SRTP_AES128_CM_SHA1_80"},
    Named{dtls::SrtpProfile::aes128_cm_hmac_sha1_32, "SRTP_AES128_CM_SHA1_32"},
};

const std::map<std::string, dtls::ReturnRoutability>& return_routabilities() {
  using dtls::ReturnRoutability;
  static const std::map<std::string, ReturnRoutability> kAll{
      {"none", ReturnRoutability::none},
      {"basic", ReturnRoutability::basic},
      {"enhanced", ReturnRoutability::enhanced}};
  return kAll;
}

// Parses names separated by colons. The error is the first unknown name.
template <class Value>
tl::expected<std::vector<Value>, std::string> parse(const std::string& text,
                                                    std::span<const Named<Value>> all) {
  std::vector<Value> values;
  std::istringstream words(text);
  for (std::string word; std::getline(words, word, ':');) {
    const auto found = std::ranges::find_if(all, [&](const auto& known) {
      return known.name == word || to_string(known.value) == word;
    });
    if (found == all.end()) return Failure(word);
    values.push_back(found->value);
  }
  return values;
}

tl::expected<std::string, std::string> read(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(stream), {}};
  if (!stream || text.empty()) return Failure(file + ": can't be read");
  return text;
}

tl::expected<dtls::Buffer, std::string> from_hex(const std::string& digits) {
  dtls::Buffer bytes;
  const bool fits = digits.size() % 2 == 0 &&
                    digits.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos;
  if (!fits) return Failure("--psk: not pairs of hexadecimal digits");
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    bytes.push_back(static_cast<std::byte>(std::stoi(digits.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

std::string because(std::string_view what, const dtls::Error& error) {
  return std::string(what) + ": " + to_string(error);
}

tl::expected<void, std::string> set_credentials(const ToolOptions& options,
                                                dtls::Environment& environment,
                                                dtls::ConfigOptions& config) {
  const bool has_key_alone =
      options.raw_public_keys && options.certificate.empty() && !options.key.empty();
  if (!options.psk.empty()) {
    const auto key = from_hex(options.psk);
    if (!key) return Failure(key.error());
    const auto identity = std::as_bytes(std::span(options.psk_identity));
    auto psk = dtls::PreSharedKey::make(identity, *key);
    if (!psk) return Failure(because("--psk", psk.error()));
    config.pre_shared_keys = {*psk};
    if (options.certificate.empty() && !has_key_alone) return {};
  }
  if (has_key_alone) {
    const auto key = read(options.key);
    if (!key) return Failure(key.error());
    auto identity = dtls::Identity::raw_public_key(*key);
    if (!identity) return Failure(because("--key", identity.error()));
    config.identities = {*identity};
    return {};
  }
  if (options.certificate.empty()) {
    auto made = dtls::Identity::self_signed(environment);
    if (!made) return Failure(because("a certificate", made.error()));
    config.identities = {*made};
    return {};
  }
  const auto certificate = read(options.certificate);
  if (!certificate) return Failure(certificate.error());
  const auto key = read(options.key.empty() ? options.certificate : options.key);
  if (!key) return Failure(key.error());
  auto identity = dtls::Identity::from_pem(*certificate, *key);
  if (!identity) return Failure(because("--cert, --key", identity.error()));
  config.identities = {*identity};
  return {};
}

// A Config ignores groups that libcrypto lacks, unless it lacks all.
bool has_group(dtls::Environment& environment, NamedGroup group) {
  const auto config =
      dtls::Config::make({.min_version = dtls::ProtocolVersion::dtls13, .groups = {group}});
  return config && dtls::Connection::client(*config, environment, dtls::PathId{0}, dtls::Instant{});
}

tl::expected<void, std::string> set_lists(const ToolOptions& options,
                                          dtls::Environment& environment,
                                          dtls::ConfigOptions& config) {
  const auto suites12 = parse<CipherSuite>(options.cipher, kSuites12);
  if (!suites12) return Failure("--cipher: there is no " + suites12.error());
  const auto suites13 = parse<CipherSuite>(options.ciphersuites, kSuites13);
  if (!suites13) return Failure("--ciphersuites: there is no " + suites13.error());
  const auto groups = parse<NamedGroup>(options.groups, kGroups);
  if (!groups) return Failure("--groups: there is no " + groups.error());
  for (const NamedGroup group : *groups) {
    if (!has_group(environment, group)) {
      return Failure("--groups: this libcrypto has no " + std::string(to_string(group)));
    }
  }
  if (!groups->empty()) config.groups = *groups;
  const auto profiles = parse<dtls::SrtpProfile>(options.srtp, kSrtpProfiles);
  if (!profiles) return Failure("--use_srtp: there is no " + profiles.error());
  config.srtp_profiles = *profiles;

  // Each of the two options replaces the suites of its version.
  auto& all = config.cipher_suites;
  const auto is13 = [](CipherSuite suite) {
    return std::ranges::any_of(kSuites13, [&](const auto& known) { return known.value == suite; });
  };
  if (!suites12->empty()) std::erase_if(all, [&](auto suite) { return !is13(suite); });
  if (!suites13->empty()) std::erase_if(all, is13);
  all.insert(all.end(), suites12->begin(), suites12->end());
  all.insert(all.begin(), suites13->begin(), suites13->end());
  return {};
}

tl::expected<void, std::string> set_verification(const ToolOptions& options,
                                                 dtls::PeerAuthentication wanted,
                                                 dtls::ConfigOptions& config) {
  using dtls::PeerAuthentication;
  config.peer_authentication = wanted;
  config.peer_name = options.peer_name;
  if (options.raw_public_keys) {
    constexpr auto kRaw = dtls::CertificateType::raw_public_key;
    if (!config.identities.empty()) config.own_certificate_types = {kRaw};
    if (wanted != PeerAuthentication::none) config.peer_certificate_types = {kRaw};
  }
  if (options.authorities.empty()) return {};
  const auto text = read(options.authorities);
  if (!text) return Failure(text.error());
  auto store = dtls::TrustStore::from_pem(*text);
  if (!store) return Failure(because("--CAfile", store.error()));
  config.trust_store = std::move(*store);
  if (wanted == PeerAuthentication::request) {
    config.peer_authentication = PeerAuthentication::verify_if_given;
  } else if (wanted == PeerAuthentication::require) {
    config.peer_authentication = PeerAuthentication::require_and_verify;
  }
  return {};
}

void add_connection_id_options(CLI::App& app, ToolOptions& options) {
  app.add_option("--cid", options.connection_id_size,
                 "Connection IDs (RFC 9146): have the peer use ones of this many bytes. 0: ask for "
                 "none, but use those that the peer asks for. Default: no connection IDs")
      ->check(CLI::Range(std::size_t{0}, dtls::kMaxConnectionId));
  app.add_option("--rrc", options.return_routability,
                 "Return routability check (RFC 9853) before a connection follows its peer to "
                 "another address: none, basic or enhanced. Default with --cid: enhanced")
      ->transform(CLI::CheckedTransformer(return_routabilities()))
      ->needs(app.get_option("--cid"));
}

}  // namespace

void add_options(CLI::App& app, ToolOptions& options) {
  app.add_option("--cert", options.certificate,
                 "Own certificate, followed by its chain (PEM). Default: a new self-signed one");
  app.add_option("--key", options.key,
                 "Private key of the certificate (PEM). Default: in the file of --cert");
  app.add_flag("--rpk", options.raw_public_keys,
               "Raw public keys (RFC 7250) in place of certificates: that of --key, or of --cert, "
               "and the peer's");
  app.add_option("--psk", options.psk,
                 "Pre-shared key in hexadecimal digits. With it a certificate is used only if "
                 "--cert is given");
  app.add_option("--psk_identity", options.psk_identity, "Identity of the pre-shared key")
      ->capture_default_str();
  auto* only12 = app.add_flag("--dtls1_2", options.only_dtls12, "DTLS 1.2 only");
  app.add_flag("--dtls1_3", options.only_dtls13, "DTLS 1.3 only")->excludes(only12);
  app.add_option("--cipher", options.cipher, "DTLS 1.2 cipher suites, separated by colons");
  app.add_option("--ciphersuites", options.ciphersuites,
                 "DTLS 1.3 cipher suites, separated by colons");
  app.add_option("--groups,--curves", options.groups,
                 "Key exchange groups, separated by colons: X25519, P-256, P-384, X25519MLKEM768");
  app.add_option(
         "--fingerprint", options.fingerprint,
         "Fingerprint that the peer's certificate or raw public key must have, e.g. sha-256 "
         "AB:CD:... Default: any is accepted")
      ->expected(2);
  app.add_option("--CAfile", options.authorities,
                 "CA certificates (PEM) to verify the peer's certificate with");
  app.add_option("--alpn", options.protocols,
                 "Application protocols (RFC 7301), separated by commas, in order of preference");
  app.add_option(
      "--use_srtp", options.srtp,
      "SRTP profiles to negotiate (RFC 5764), separated by colons: SRTP_AEAD_AES_256_GCM, "
      "SRTP_AEAD_AES_128_GCM, SRTP_AES128_CM_SHA1_80, SRTP_AES128_CM_SHA1_32");
  app.add_option(
      "--keymatexport", options.export_label,
      "Export keying material with this label (RFC 5705) and print it to standard error");
  app.add_option("--keymatexportlen", options.export_length,
                 "Length of the keying material in bytes")
      ->capture_default_str()
      ->check(CLI::Range(1, 1024));
  app.add_option("--mtu", options.mtu, "Largest datagram of the handshake, in bytes")
      ->capture_default_str()
      ->check(CLI::Range(256, 16384));
  add_connection_id_options(app, options);
  app.add_option("--handshake_timeout", options.handshake_timeout,
                 "Seconds after which a handshake fails")
      ->capture_default_str()
      ->check(CLI::Range(1, 3600));
  app.add_option("--keylogfile", options.files.key_log,
                 "Append the secrets to this file (SSLKEYLOGFILE format)");
  app.add_option(
      "--pcap", options.files.capture,
      "Record the connections to this file for Wireshark (pcapng with the secrets inside)");
  app.add_flag("--quiet", options.quiet, "Print errors only");
}

tl::expected<ToolConfig, std::string> make_config(const ToolOptions& options,
                                                  dtls::Environment& environment,
                                                  dtls::PeerAuthentication wanted) {
  dtls::ConfigOptions config;
  if (auto set = set_credentials(options, environment, config); !set) return Failure(set.error());
  if (auto set = set_lists(options, environment, config); !set) return Failure(set.error());
  if (options.only_dtls12) config.max_version = dtls::ProtocolVersion::dtls12;
  if (options.only_dtls13) config.min_version = dtls::ProtocolVersion::dtls13;
  config.mtu = options.mtu;
  config.max_fragment_length = options.max_fragment_length;
  config.connection_id_size = options.connection_id_size;
  config.return_routability = options.return_routability;
  config.server_name = options.server_name;
  std::istringstream protocols(options.protocols);
  for (std::string protocol; std::getline(protocols, protocol, ',');) {
    config.application_protocols.push_back(protocol);
  }
  config.timers.total = std::chrono::seconds(options.handshake_timeout);
  config.resumption = options.resumption;
  config.ticket_keys = options.ticket_keys;
  if (options.ticket_keys) {
    config.session_lifetime = std::min(config.session_lifetime, options.ticket_keys->rotation());
  }
  if (auto set = set_verification(options, wanted, config); !set) return Failure(set.error());
  ToolConfig made;
  if (!options.fingerprint.empty()) {
    auto peer = dtls::Fingerprint::parse(options.fingerprint[0], options.fingerprint[1]);
    if (!peer) return Failure(because("--fingerprint", peer.error()));
    made.peer = *peer;
  }
  auto checked = dtls::Config::make(std::move(config));
  if (!checked) return Failure(because("options", checked.error()));
  made.config = *checked;
  return made;
}

std::string describe(const dtls::ConnectionInfo& info) {
  std::string text(to_string(info.version));
  text.append(", ").append(to_string(info.cipher_suite));
  if (info.group) text.append(", ").append(to_string(*info.group));
  if (info.resumed) {
    text += ", resumed";
  } else if (info.psk) {
    text += ", PSK";
  }
  if (info.peer.credential == dtls::PeerCredential::raw_public_key) text += ", raw public key";
  if (info.srtp_profile) text.append(", ").append(to_string(*info.srtp_profile));
  if (!info.server_name.empty()) text += ", server name " + info.server_name;
  if (!info.application_protocol.empty()) text += ", ALPN " + info.application_protocol;
  const std::size_t own = info.own_connection_id.size();
  const std::size_t peers = info.peer_connection_id.size();
  if (own + peers != 0) {
    text += ", connection IDs of " + std::to_string(own) + " bytes here and " +
            std::to_string(peers) + " there";
  }
  if (info.return_routability) text += ", return routability check";
  return text;
}

std::string export_keys(const dtls::Connection& connection, const ToolOptions& options) {
  if (options.export_label.empty()) return {};
  dtls::Buffer keys(options.export_length);
  const auto exported = connection.export_keying_material(keys, options.export_label, std::nullopt);
  if (!exported) return because("--keymatexport", exported.error());
  std::ostringstream text;
  text << "Keying material: " << std::hex << std::uppercase << std::setfill('0');
  for (const std::byte byte : keys) text << std::setw(2) << std::to_integer<unsigned>(byte);
  return text.str();
}

}  // namespace sluice::interop::tools
