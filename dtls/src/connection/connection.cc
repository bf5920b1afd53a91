#include <sluice/dtls/connection.h>

#include <algorithm>
#include <array>

#include "connection/impl.h"
#include "negotiation/connection_ids.h"
#include "negotiation/role_check.h"

namespace sluice::dtls {

std::string_view to_string(SendError error) {
  switch (error) {
    case SendError::not_connected:
      return "not connected";
    case SendError::too_large:
      return "too large for one record";
    case SendError::limit_reached:
      return "record numbers used up";
    case SendError::snapshot_needed:
      return "a snapshot is needed";
    case SendError::buffer_too_small:
      return "buffer too small";
    case SendError::libcrypto_failure:
      return "libcrypto failed";
  }
  return "unknown";
}

Connection::Connection(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Connection::Connection(Connection&&) noexcept = default;
Connection& Connection::operator=(Connection&&) noexcept = default;
Connection::~Connection() = default;

Result<void> Connection::Impl::check(const ConfigOptions& config, Environment& environment,
                                     Role role, const ConnectionIdSource* ids) {
  auto fits = handshake::check_role(config, environment.library(), role);
  return fits ? handshake::check_source(config, ids) : fits;
}

Result<Connection> Connection::client(ConfigPtr config, Environment& environment, PathId path,
                                      Instant now, const std::optional<ResumableSession>& session,
                                      ConnectionIdSource* ids) {
  if (auto fits = Impl::check(config->options(), environment, Role::client, ids); !fits) {
    return forward_error(fits);
  }
  auto impl = std::make_unique<Impl>(std::move(config), environment, Role::client, path, now, ids);
  impl->begin_handshake(environment.key_log());
  if (auto started = impl->start_client(session, now); !started) return forward_error(started);
  return Connection(std::move(impl));
}

Result<Connection> Connection::server(ConfigPtr config, Environment& environment, PathId path,
                                      Instant now, ConnectionIdSource* ids) {
  if (auto fits = Impl::check(config->options(), environment, Role::server, ids); !fits) {
    return forward_error(fits);
  }
  auto impl = std::make_unique<Impl>(std::move(config), environment, Role::server, path, now, ids);
  impl->begin_handshake(environment.key_log());
  return Connection(std::move(impl));
}

Result<Connection> Connection::restore(ConfigPtr config, Environment& environment,
                                       SessionState&& state, PathId path, Instant now,
                                       ConnectionIdSource* ids) {
  auto impl = Impl::restore(std::move(config), environment, state.bytes(), path, now, ids);
  if (!impl) return forward_error(impl);
  const SessionState used = std::move(state);
  return Connection(std::move(*impl));
}

Result<Pending> Connection::handle_datagram(MutableBytes datagram, PathId path, Instant now) {
  return impl_->handle_datagram(datagram, path, now);
}
Result<Pending> Connection::handle_timeout(Instant now) { return impl_->handle_timeout(now); }
Result<Pending> Connection::answer(QuestionId question, const Answer& answer, Instant now) {
  return impl_->answer(question, answer, now);
}
Result<Pending> Connection::set_peer_fingerprints(std::span<const Fingerprint> announced,
                                                  Instant now) {
  return impl_->set_peer_fingerprints(announced, now);
}
Result<Pending> Connection::update_keys(KeyUpdateRequest request, Instant now) {
  return impl_->update_keys(request, now);
}
Result<Pending> Connection::request_connection_ids(std::size_t count, Instant now) {
  return impl_->exchange_ids(count, now);
}
Result<Pending> Connection::renew_connection_id(Instant now) {
  return impl_->exchange_ids({}, now);
}
Result<void> Connection::change_connection_id() { return impl_->change_connection_id(); }
Result<Pending> Connection::close(Instant now) { return impl_->close(now); }

void Connection::set_path(PathId path) { impl_->set_path(path); }
void Connection::set_path_mtu(std::size_t mtu) { impl_->set_path_mtu(mtu); }
void Connection::set_path_rtt(Duration rtt) { impl_->set_path_rtt(rtt); }

SendResult Connection::seal(Bytes application_data, MutableBytes out) {
  return impl_->seal(application_data, out);
}

std::size_t Connection::sealed_size(std::size_t application_data) const {
  return impl_->sealed_size(application_data);
}

std::optional<Transmit> Connection::poll_transmit(MutableBytes out) {
  return impl_->poll_transmit(out);
}
std::optional<MutableBytes> Connection::poll_data() { return impl_->poll_data(); }
std::optional<Event> Connection::poll_event() { return impl_->poll_event(); }
std::optional<Instant> Connection::next_timeout() const { return impl_->next_timeout(); }

Result<SessionState> Connection::export_session(const ExportOptions& options) && {
  return impl_->export_session(options);
}
std::optional<ExportBlocked> Connection::export_blocked() const { return impl_->export_blocked(); }
Result<Snapshot> Connection::snapshot(const SnapshotOptions& options) {
  return impl_->snapshot(options);
}
Result<Pending> Connection::snapshot_stored(SnapshotId snapshot, Instant now) {
  return impl_->snapshot_stored(snapshot, now);
}
bool Connection::snapshot_due() const { return impl_->is_snapshot_due(); }

Role Connection::role() const { return impl_->role(); }
ConnectionNumber Connection::number() const { return impl_->number(); }
PathId Connection::path() const { return impl_->path(); }
std::size_t Connection::spare_connection_ids() const { return impl_->connection_ids().spares(); }
std::vector<ConnectionId> Connection::own_connection_ids() const {
  return impl_->connection_ids().all_own();
}
bool Connection::has_own_connection_id(Bytes id) const {
  return !id.empty() && impl_->connection_ids().is_own(id);
}
bool Connection::connected() const { return impl_->is_open(); }
bool Connection::handshake_confirmed() const { return impl_->is_handshake_confirmed(); }
bool Connection::ended() const { return impl_->ended(); }
std::optional<Error> Connection::error() const { return impl_->error(); }
std::optional<ConnectionInfo> Connection::info() const { return impl_->info(); }
Statistics Connection::statistics() const { return impl_->statistics(); }

WaitingFor Connection::waiting_for() const { return impl_->waiting_for(); }

Result<void> Connection::export_keying_material(MutableBytes out, std::string_view label,
                                                std::optional<Bytes> context) const {
  const auto session = impl_->session();
  if (!session) return tl::unexpected(Error{Errc::not_connected});
  return handshake::export_keying_material(impl_->library(), *session, label, context, out);
}

namespace {

struct SrtpLengths {
  std::size_t key;
  std::size_t salt;
};

// RFC 5764 section 4.1.2, RFC 7714 section 12.
constexpr SrtpLengths srtp_lengths(SrtpProfile profile) {
  switch (profile) {
    case SrtpProfile::aes128_cm_hmac_sha1_80:
    case SrtpProfile::aes128_cm_hmac_sha1_32:
      return {16, 14};
    case SrtpProfile::aead_aes_128_gcm:
      return {16, 12};
    case SrtpProfile::aead_aes_256_gcm:
      return {32, 12};
  }
  return {};
}

SrtpMasterKey join(Bytes key, Bytes salt) {
  SrtpMasterKey joined(key.size() + salt.size());
  std::ranges::copy(salt, std::ranges::copy(key, joined.bytes().begin()).out);
  return joined;
}

}  // namespace

Result<SrtpKeys> Connection::srtp_keys() const {
  const auto session = impl_->session();
  if (!session) return tl::unexpected(Error{Errc::not_connected});
  const handshake::AgreedExtensions& agreed = handshake::extensions_of(*session);
  const auto profile = agreed.srtp_profile;
  if (!profile) return tl::unexpected(Error{Errc::srtp_not_negotiated});

  // Client key, server key, client salt, server salt (RFC 5764 section 4.2).
  const auto [key, salt] = srtp_lengths(*profile);
  Secret<2 * SrtpMasterKey::capacity()> material(2 * (key + salt));
  const auto exported =
      export_keying_material(material.bytes(), "EXTRACTOR-dtls_srtp", std::nullopt);
  if (!exported) return forward_error(exported);
  const Bytes bytes = std::as_const(material).bytes();
  SrtpMasterKey client = join(bytes.first(key), bytes.subspan(2 * key, salt));
  SrtpMasterKey server = join(bytes.subspan(key, key), bytes.subspan(2 * key + salt, salt));
  const bool is_client = role() == Role::client;
  return SrtpKeys{*profile, std::move(is_client ? client : server),
                  std::move(is_client ? server : client), agreed.names->srtp_mki};
}

}  // namespace sluice::dtls
