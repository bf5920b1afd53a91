#include "bogo/engine_config.h"

#include <sluice/dtls/connection.h>

#include <algorithm>
#include <fstream>
#include <iterator>

namespace sluice::bogo {
namespace {

dtls::Result<std::string> contents_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file) return tl::unexpected(dtls::Error{dtls::Errc::invalid_argument, {}, 0, "unreadable"});
  return text;
}

dtls::Result<dtls::Identity> load_identity(const Credential& credential) {
  const auto certificates = contents_of(credential.certificate_file);
  if (!certificates) return tl::unexpected(certificates.error());
  const auto key = contents_of(credential.key_file);
  if (!key) return tl::unexpected(key.error());
  return dtls::Identity::from_pem(*certificates, *key);
}

}  // namespace

dtls::Result<std::vector<dtls::Identity>> load_identities(const Flags& flags,
                                                          dtls::Environment& environment) {
  std::vector<dtls::Identity> identities;
  const auto add = [&](dtls::Result<dtls::Identity> identity) -> dtls::Result<void> {
    if (!identity) return tl::unexpected(identity.error());
    identities.push_back(std::move(*identity));
    return {};
  };
  for (const Credential& credential : flags.credentials) {
    if (credential.certificate_file.empty()) continue;
    if (auto added = add(load_identity(credential)); !added) return tl::unexpected(added.error());
  }
  if (identities.empty() && flags.role == dtls::Role::server && flags.psk.empty()) {
    auto added = add(dtls::Identity::self_signed(environment));
    if (!added) return tl::unexpected(added.error());
  }
  const bool has_default = !flags.credentials.front().certificate_file.empty();
  if (has_default) std::ranges::rotate(identities, identities.begin() + 1);
  return identities;
}

dtls::Result<dtls::Buffer> load_certificate(const std::string& file) {
  const auto text = contents_of(file);
  if (!text) return tl::unexpected(text.error());
  return dtls::Identity::with_key_elsewhere(*text).map([](const dtls::Identity& identity) {
    const dtls::Bytes der = identity.certificate();
    return dtls::Buffer(der.begin(), der.end());
  });
}

bool has_groups(const Flags& flags, dtls::Environment& environment) {
  return std::ranges::all_of(flags.groups, [&](dtls::NamedGroup group) {
    dtls::ConfigOptions alone;
    alone.groups = {group};
    const auto config = dtls::Config::make(std::move(alone));
    return config && dtls::Connection::client(*config, environment, dtls::PathId{1}, {});
  });
}

dtls::Result<dtls::ConfigPtr> make_config(const Flags& flags,
                                          std::vector<dtls::Identity> identities,
                                          std::shared_ptr<dtls::TicketKeys> ticket_keys) {
  dtls::ConfigOptions options;
  options.identities = std::move(identities);
  if (!flags.psk.empty()) {
    auto key = dtls::PreSharedKey::make(std::as_bytes(std::span(flags.psk_identity)),
                                        std::as_bytes(std::span(flags.psk)));
    if (!key) return tl::unexpected(key.error());
    options.pre_shared_keys = {std::move(*key)};
    // BoringSSL's server says so in its hint.
    const dtls::Bytes hint = std::as_bytes(std::span(flags.psk_identity));
    if (flags.allows_dtls12) options.psk_identity_hint.assign(hint.begin(), hint.end());
  }
  options.server_name = flags.server_name;
  options.application_protocols = flags.application_protocols;
  if (!flags.signature_schemes.empty()) options.signature_schemes = flags.signature_schemes;
  options.min_version =
      flags.allows_dtls12 ? dtls::ProtocolVersion::dtls12 : dtls::ProtocolVersion::dtls13;
  options.max_version =
      flags.allows_dtls13 ? dtls::ProtocolVersion::dtls13 : dtls::ProtocolVersion::dtls12;
  if (!flags.groups.empty()) options.groups = flags.groups;
  options.srtp_profiles = flags.srtp_profiles;
  // Whoever answers the question takes note of the name, and so the server acknowledges it.
  options.ask_for_identity = flags.role == dtls::Role::server && flags.expected_server_name &&
                             flags.acknowledges_server_name;
  options.peer_authentication = flags.requires_client_certificate
                                    ? dtls::PeerAuthentication::require
                                : flags.verifies_peer ? dtls::PeerAuthentication::request
                                                      : dtls::PeerAuthentication::none;
  // BoringSSL has both ways at once; here a server has one.
  const bool gives_tickets = flags.issues_tickets && flags.expects_session_id != true;
  if (gives_tickets || flags.role == dtls::Role::client) {
    options.resumption = dtls::Resumption::tickets;
    options.ticket_keys = std::move(ticket_keys);
  } else if (!flags.allows_dtls13 || flags.expects_session_id == true) {
    options.resumption = dtls::Resumption::store;
  }
  // DTLS-Replay-NonMonotonic goes back by 255: BoringSSL's window is as wide.
  options.replay_window = 256;
  options.mtu = flags.mtu;
  options.max_handshake_message = flags.max_handshake_message;
  options.timers.initial = flags.initial_timeout;
  options.timers.maximum = kLongestTimeout;
  options.timers.total = kHandshakeTime;
  return dtls::Config::make(std::move(options));
}

}  // namespace sluice::bogo
