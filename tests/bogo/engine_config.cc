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

}  // namespace

dtls::Result<dtls::Identity> load_identity(const Flags& flags, dtls::Environment& environment) {
  if (flags.certificate_file.empty()) return dtls::Identity::self_signed(environment);
  const auto certificates = contents_of(flags.certificate_file);
  if (!certificates) return tl::unexpected(certificates.error());
  const auto key = contents_of(flags.key_file);
  if (!key) return tl::unexpected(key.error());
  return dtls::Identity::from_pem(*certificates, *key);
}

bool has_groups(const Flags& flags, const dtls::Identity& identity,
                dtls::Environment& environment) {
  return std::ranges::all_of(flags.groups, [&](dtls::NamedGroup group) {
    dtls::ConfigOptions alone;
    alone.identities = {identity};
    alone.groups = {group};
    const auto config = dtls::Config::make(std::move(alone));
    return config && dtls::Connection::server(*config, environment, dtls::PathId{1}, {});
  });
}

dtls::Result<dtls::ConfigPtr> make_config(const Flags& flags, dtls::Identity identity,
                                          std::shared_ptr<dtls::TicketKeys> ticket_keys) {
  dtls::ConfigOptions options;
  options.identities = {std::move(identity)};
  options.min_version =
      flags.allows_dtls12 ? dtls::ProtocolVersion::dtls12 : dtls::ProtocolVersion::dtls13;
  options.max_version =
      flags.allows_dtls13 ? dtls::ProtocolVersion::dtls13 : dtls::ProtocolVersion::dtls12;
  if (!flags.groups.empty()) options.groups = flags.groups;
  options.srtp_profiles = flags.srtp_profiles;
  options.peer_authentication = flags.requires_client_certificate
                                    ? dtls::PeerAuthentication::require
                                    : dtls::PeerAuthentication::none;
  // BoringSSL has both ways at once; here a server has one.
  const bool gives_tickets = flags.issues_tickets && flags.expects_session_id != true;
  if (gives_tickets || flags.role == dtls::Role::client) {
    options.resumption = dtls::Resumption::tickets;
    options.ticket_keys = std::move(ticket_keys);
  } else if (!flags.allows_dtls13 || flags.expects_session_id == true) {
    options.resumption = dtls::Resumption::store;
  }
  options.mtu = flags.mtu;
  options.max_handshake_message = flags.max_handshake_message;
  options.timers.initial = flags.initial_timeout;
  options.timers.maximum = kLongestTimeout;
  // The runner lets a flight wait for minutes, one after another; Sluice's limit is on all of them.
  options.timers.total = std::chrono::hours{24};
  return dtls::Config::make(std::move(options));
}

}  // namespace sluice::bogo
