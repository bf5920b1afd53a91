#include "bogo/flags.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace sluice::bogo {
namespace {

// As the runner writes protocol versions.
constexpr unsigned kDtls12 = 0xfefd;
constexpr unsigned kDtls13 = 0xfefc;

template <class Number>
bool read(Number& number, std::string_view value) {
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  return error == std::errc() && end == value.data() + value.size();
}

// Numbers of DTLS versions go down as versions go up.
bool set_min_version(Flags& flags, std::string_view value) {
  unsigned version = 0;
  if (!read(version, value)) return false;
  flags.allows_dtls12 &= version >= kDtls12;
  flags.allows_dtls13 &= version >= kDtls13;
  return true;
}

bool set_max_version(Flags& flags, std::string_view value) {
  unsigned version = 0;
  if (!read(version, value)) return false;
  flags.allows_dtls12 &= version <= kDtls12;
  flags.allows_dtls13 &= version <= kDtls13;
  return true;
}

bool add_group(Flags& flags, std::string_view value) {
  std::uint16_t number = 0;
  if (!read(number, value)) return false;
  flags.groups.push_back(dtls::NamedGroup{number});
  return dtls::to_string(flags.groups.back()) != "unknown";
}

// The names are OpenSSL's.
std::optional<dtls::SrtpProfile> srtp_profile(std::string_view name) {
  if (name == "SRTP_AES128_CM_SHA1_80") return dtls::SrtpProfile::aes128_cm_hmac_sha1_80;
  if (name == "SRTP_AES128_CM_SHA1_32") return dtls::SrtpProfile::aes128_cm_hmac_sha1_32;
  if (name == "SRTP_AEAD_AES_128_GCM") return dtls::SrtpProfile::aead_aes_128_gcm;
  if (name == "SRTP_AEAD_AES_256_GCM") return dtls::SrtpProfile::aead_aes_256_gcm;
  return std::nullopt;
}

bool set_srtp_profiles(Flags& flags, std::string_view names) {
  while (!names.empty()) {
    const std::string_view name = names.substr(0, names.find(':'));
    names.remove_prefix(std::min(name.size() + 1, names.size()));
    const auto profile = srtp_profile(name);
    if (!profile) return false;
    flags.srtp_profiles.push_back(*profile);
  }
  return true;
}

bool set_resumption_delay(Flags& flags, std::string_view value) {
  unsigned seconds = 0;
  const bool ok = read(seconds, value);
  flags.resumption_delay = std::chrono::seconds{seconds};
  return ok;
}

bool add_signature_scheme(Flags& flags, std::string_view value) {
  std::uint16_t number = 0;
  if (!read(number, value)) return false;
  flags.signature_schemes.push_back(dtls::SignatureScheme{number});
  return dtls::to_string(flags.signature_schemes.back()) != "unknown";
}

// As the extension lists them (RFC 7301 section 3.1).
bool add_protocols(Flags& flags, std::string_view list) {
  while (!list.empty()) {
    const auto size = static_cast<unsigned char>(list.front());
    list.remove_prefix(1);
    if (size == 0 || size > list.size()) return false;
    flags.application_protocols.emplace_back(list.substr(0, size));
    list.remove_prefix(size);
  }
  return true;
}

bool add_protocol(Flags& flags, std::string_view name) {
  flags.application_protocols.emplace_back(name);
  return true;
}

// A server refuses who offers none of its own.
void refuse_protocols(Flags& flags) { flags.application_protocols = {"nobody's"}; }

bool set_expected_group(Flags& flags, std::string_view value) {
  std::uint16_t number = 0;
  const bool ok = read(number, value);
  flags.expected_group = dtls::NamedGroup{number};
  return ok;
}

bool set_initial_timeout(Flags& flags, std::string_view value) {
  unsigned milliseconds = 0;
  const bool ok = read(milliseconds, value);
  flags.initial_timeout = std::chrono::milliseconds{milliseconds};
  return ok;
}

template <auto Member, auto Value = true>
void set(Flags& flags) {
  flags.*Member = Value;
}

template <auto Member>
bool set_number(Flags& flags, std::string_view value) {
  return read(flags.*Member, value);
}

template <auto Member>
bool set_text(Flags& flags, std::string_view value) {
  flags.*Member = value;
  return true;
}

void add_credential(Flags& flags) { flags.credentials.emplace_back(); }

template <auto Member>
bool set_file(Flags& flags, std::string_view value) {
  flags.credentials.back().*Member = value;
  return true;
}

// There is none, for whatever reason.
bool is_no_early_data(Flags& /*flags*/, std::string_view reason) { return reason == "disabled"; }

void ignore(Flags& /*flags*/) {}
bool ignore_value(Flags& /*flags*/, std::string_view /*value*/) { return true; }

struct Switch {
  std::string_view name;
  void (*apply)(Flags&);
};

constexpr auto kSwitches = std::to_array<Switch>({
    {"-is-handshaker-supported", set<&Flags::asks_for_handshaker>},
    {"-ipv6", set<&Flags::ipv6>},
    {"-dtls", set<&Flags::over_datagrams>},
    {"-server", set<&Flags::role, dtls::Role::server>},
    {"-no-tls12", set<&Flags::allows_dtls12, false>},
    {"-no-tls13", set<&Flags::allows_dtls13, false>},
    {"-no-tls1", ignore},  // there is no DTLS 1.0 here
    {"-new-x509-credential", add_credential},
    // Here it is always preferred, and never demanded.
    {"-must-match-issuer", ignore},
    {"-verify-peer", set<&Flags::verifies_peer>},
    {"-require-any-client-certificate", set<&Flags::requires_client_certificate>},
    {"-decline-alpn", ignore},  // a server without any takes no notice of them
    {"-reject-alpn", refuse_protocols},
    {"-verify-fail", set<&Flags::rejects_peer>},
    // Which alert the runner expects of a rejection depends on BoringSSL's callback.
    {"-use-custom-verify-callback", set<&Flags::rejection, dtls::Alert::certificate_unknown>},
    {"-use-export-context", set<&Flags::has_export_context>},
    {"-shim-writes-first", set<&Flags::writes_first>},
    {"-key-update-before-read", set<&Flags::updates_keys_before_read>},
    {"-key-update", set<&Flags::updates_keys_after_read>},
    {"-no-ticket", set<&Flags::issues_tickets, false>},
    {"-no-server-name-ack", set<&Flags::acknowledges_server_name, false>},
    {"-reverify-on-resume", set<&Flags::judges_again>},
    {"-expect-session-miss", set<&Flags::expects_session_miss>},
    {"-expect-no-session", set<&Flags::expects_ticket, false>},
    {"-expect-ticket-renewal", set<&Flags::expects_renewal>},
    {"-expect-session-id", set<&Flags::expects_session_id>},
    {"-expect-no-session-id", set<&Flags::expects_session_id, false>},
    {"-expect-hrr", set<&Flags::expects_retry>},
    {"-expect-no-hrr", set<&Flags::expects_retry, false>},
    {"-expect-extended-master-secret", set<&Flags::expects_extended_master_secret>},
    {"-shim-shuts-down", set<&Flags::shuts_down>},
    // Different ways through BoringSSL's API to the same protocol.
    {"-async", ignore},
    {"-implicit-handshake", ignore},
    {"-use-early-callback", ignore},
    {"-expect-verify-result", ignore},
    {"-use-old-client-cert-callback", ignore},
    {"-permute-extensions", ignore},
});

struct Setting {
  std::string_view name;
  bool (*apply)(Flags&, std::string_view);
};

constexpr auto kSettings = std::to_array<Setting>({
    {"-port", set_number<&Flags::port>},
    {"-shim-id", set_number<&Flags::shim_id>},
    {"-cert-file", set_file<&Credential::certificate_file>},
    {"-key-file", set_file<&Credential::key_file>},
    // The runner looks at the certificate.
    {"-expect-selected-credential", ignore_value},
    {"-expect-early-data-reason", is_no_early_data},
    {"-psk", set_text<&Flags::psk>},
    {"-psk-identity", set_text<&Flags::psk_identity>},
    {"-host-name", set_text<&Flags::server_name>},
    {"-expect-server-name", set_text<&Flags::expected_server_name>},
    {"-advertise-alpn", add_protocols},
    {"-select-alpn", add_protocol},
    {"-expect-alpn", set_text<&Flags::expected_protocol>},
    // What is then chosen shows that it was read.
    {"-expect-advertised-alpn", ignore_value},
    {"-verify-prefs", add_signature_scheme},
    {"-expect-peer-cert-file", set_text<&Flags::expected_certificate_file>},
    {"-min-version", set_min_version},
    {"-max-version", set_max_version},
    {"-resume-count", set_number<&Flags::resume_count>},
    {"-resumption-delay", set_resumption_delay},
    {"-curves", add_group},
    {"-expect-curve-id", set_expected_group},
    {"-srtp-profiles", set_srtp_profiles},
    {"-mtu", set_number<&Flags::mtu>},
    {"-max-cert-list", set_number<&Flags::max_handshake_message>},
    {"-initial-timeout-duration-ms", set_initial_timeout},
    {"-export-keying-material", set_number<&Flags::export_size>},
    {"-export-label", set_text<&Flags::export_label>},
    {"-export-context", set_text<&Flags::export_context>},
    // No status of a certificate is sent, which is right where none was asked for.
    {"-ocsp-response", ignore_value},
    {"-signed-cert-timestamps", ignore_value},
    // Whether a certificate is trusted is the callback's word, as in BoringSSL's shim.
    {"-trust-cert", ignore_value},
});

// The part of the name that says which connection the argument is for.
constexpr std::string_view kOfAll = "-on-shim";
constexpr std::string_view kOfInitial = "-on-initial";
constexpr std::string_view kOfResumption = "-on-resume";

// Removes it, and says whether the argument counts.
bool counts(std::string_view& name, Connection connection) {
  const auto remove = [&](std::string_view prefix) {
    const bool has_it = name.size() > prefix.size() && name.starts_with(prefix);
    if (has_it) name.remove_prefix(prefix.size());
    return has_it;
  };
  remove(kOfAll);
  if (remove(kOfInitial)) return connection == Connection::initial;
  if (remove(kOfResumption)) return connection == Connection::resumption;
  return true;
}

}  // namespace

tl::expected<Flags, std::string> parse(std::span<const std::string_view> arguments,
                                       Connection connection) {
  Flags flags;
  flags.is_resumption = connection == Connection::resumption;
  // What isn't for this connection must make sense all the same.
  Flags others;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    std::string_view name = arguments[i];
    Flags& target = counts(name, connection) ? flags : others;
    const auto found = std::ranges::find(kSwitches, name, &Switch::name);
    if (found != kSwitches.end()) {
      found->apply(target);
      continue;
    }
    const auto setting = std::ranges::find(kSettings, name, &Setting::name);
    if (setting == kSettings.end() || i + 1 == arguments.size()) {
      return tl::unexpected(std::string(name));
    }
    const std::string_view value = arguments[++i];
    if (!setting->apply(target, value)) {
      return tl::unexpected(std::string(name).append(" ").append(value));
    }
  }
  if (flags.asks_for_handshaker) return flags;
  if (!flags.over_datagrams) return tl::unexpected(std::string("TLS over streams"));
  return flags;
}

}  // namespace sluice::bogo
