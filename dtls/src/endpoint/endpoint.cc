#include <sluice/dtls/endpoint.h>

#include "endpoint/impl.h"
#include "table/host_counts.h"

namespace sluice::dtls {
namespace {

// Slots are numbered with 32 bits, and SlotNumber has values that mean none.
constexpr std::size_t kMaxConnections = std::size_t{1} << 30;
constexpr Duration kLongestSilence = std::chrono::days{3650};
constexpr Duration kLongestWait = std::chrono::hours{1};

bool is_silence(Duration limit) { return limit >= Duration::zero() && limit <= kLongestSilence; }

std::optional<std::string_view> problem_of_limits(const EndpointOptions& options) {
  if (options.max_connections == 0 || options.max_connections > kMaxConnections) {
    return "max_connections: not from 1 to 2^30";
  }
  if (options.max_half_open == 0 || options.max_half_open > kMaxConnections) {
    return "max_half_open: not from 1 to 2^30";
  }
  if (options.half_open_grace < Duration::zero()) return "half_open_grace: below 0";
  if (options.ipv6_host_prefix > table::kIpv6Bits) return "ipv6_host_prefix: above 128";
  if (!is_silence(options.idle_limit)) return "idle_limit: not from 0 to 3650 days";
  if (!is_silence(options.displace_silent_after.value_or(Duration::zero()))) {
    return "displace_silent_after: not from 0 to 3650 days";
  }
  if (options.max_timers_per_call == 0) return "max_timers_per_call: 0";
  if (options.reserved_connections > kMaxConnections) {
    return "reserved_connections: above 2^30";
  }
  const std::size_t id_size =
      options.connection_ids != nullptr ? options.connection_ids->size() : 1;
  if (id_size == 0 || id_size > kMaxConnectionId) {
    return "connection_ids: size not from 1 to 255";
  }
  return std::nullopt;
}

std::optional<std::string_view> problem_of_ageing(const EndpointOptions& options) {
  if (!is_silence(options.age_after)) return "age_after: not from 0 to 3650 days";
  const WakingOptions& waking = options.waking;
  if (waking.timeout <= Duration::zero() || waking.timeout > kLongestWait) {
    return "waking: timeout not above 0 and up to 1 hour";
  }
  if (waking.max_datagrams_each == 0) return "waking: max_datagrams_each: 0";
  // Without connection IDs of this side no session would age or be asked for.
  if (!options.server || options.server->options().ask_for_config) return std::nullopt;
  if (options.server->options().connection_id_size.value_or(0) != 0) return std::nullopt;
  if (waking.max_wanted != 0) return "waking: the server's Config has no connection_id_size";
  if (options.age_after != Duration::zero() || options.max_live != 0) {
    return "age_after, max_live: the server's Config has no connection_id_size";
  }
  return std::nullopt;
}

}  // namespace

std::string_view to_string(EndReason reason) {
  switch (reason) {
    case EndReason::closed:
      return "closed";
    case EndReason::closed_by_peer:
      return "closed by the peer";
    case EndReason::aborted:
      return "aborted";
    case EndReason::failed:
      return "failed";
    case EndReason::replaced:
      return "replaced: the peer has begun anew";
    case EndReason::displaced:
      return "displaced by another handshake";
    case EndReason::idle:
      return "idle";
    case EndReason::displaced_silent:
      return "silent, and displaced by another peer";
    case EndReason::exported:
      return "exported";
  }
  return "unknown";
}

std::string_view to_string(Refusal refusal) {
  switch (refusal) {
    case Refusal::too_many_connections:
      return "too many connections";
    case Refusal::too_many_half_open:
      return "too many handshakes";
    case Refusal::too_many_connections_of_host:
      return "too many connections of one host";
    case Refusal::too_many_half_open_of_host:
      return "too many handshakes of one host";
  }
  return "unknown";
}

Endpoint::Endpoint(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Endpoint::Endpoint(Endpoint&&) noexcept = default;
Endpoint& Endpoint::operator=(Endpoint&&) noexcept = default;
Endpoint::~Endpoint() = default;

Result<Endpoint> Endpoint::make(const EndpointOptions& options, Environment& environment) {
  for (const auto problem : {problem_of_limits(options), problem_of_ageing(options)}) {
    if (problem) return tl::unexpected(Error{Errc::invalid_config, {}, 0, *problem});
  }
  std::optional<Listener> listener;
  if (options.server) {
    auto made = Listener::make(options.server, environment, options.listener);
    if (!made) return forward_error(made);
    listener.emplace(*std::move(made));
  }
  auto hash = crypto::KeyedHash::make(environment.library());
  if (!hash) return forward_error(hash);
  auto impl = std::make_unique<Impl>(options, environment, std::move(listener), *std::move(hash));
  if (options.server) {
    if (auto fits = impl->prepare(options.server->options()); !fits) return forward_error(fits);
  }
  return Endpoint(std::move(impl));
}

Result<ConnectionHandle> Endpoint::connect(ConfigPtr config, const UdpPath& path, Instant now,
                                           const std::optional<ResumableSession>& session) {
  return impl_->connect(std::move(config), path, now, session);
}
Pending Endpoint::handle_datagram(MutableBytes datagram, const UdpPath& path, Instant now) {
  return impl_->handle_datagram(datagram, path, now);
}
Pending Endpoint::handle_timeout(Instant now) { return impl_->handle_timeout(now); }
Result<Pending> Endpoint::answer(ConnectionHandle connection, QuestionId question,
                                 const Answer& answer, Instant now) {
  return apply(connection, [&](Connection& known) { return known.answer(question, answer, now); });
}
Result<Pending> Endpoint::close(ConnectionHandle connection, Instant now) {
  return impl_->close(connection, now);
}
Pending Endpoint::close_all(Instant now) { return impl_->close_all(now); }
Result<SecretBytes> Endpoint::export_cookie_secret(Instant now) {
  Listener* listener = impl_->listener();
  if (listener == nullptr) return tl::unexpected(Error{Errc::invalid_argument});
  return listener->export_cookie_secret(now);
}
Result<void> Endpoint::import_cookie_secret(Bytes secret, Instant now) {
  Listener* listener = impl_->listener();
  if (listener == nullptr) return tl::unexpected(Error{Errc::invalid_argument});
  return listener->import_cookie_secret(secret, now);
}
Result<Pending> Endpoint::abort(ConnectionHandle connection) { return impl_->abort(connection); }
Result<void> Endpoint::set_path(ConnectionHandle connection, const UdpPath& path) {
  return impl_->set_path(connection, path);
}
Result<SessionState> Endpoint::export_session(ConnectionHandle connection,
                                              const ExportOptions& options, Instant now) {
  return impl_->export_session(connection, options, now);
}
Result<Snapshot> Endpoint::snapshot(ConnectionHandle connection, const SnapshotOptions& options) {
  return impl_->snapshot(connection, options);
}
Result<Pending> Endpoint::snapshot_stored(ConnectionHandle connection, SnapshotId snapshot,
                                          Instant now) {
  return apply(connection, [&](Connection& known) { return known.snapshot_stored(snapshot, now); });
}
bool Endpoint::snapshot_due(ConnectionHandle connection) const {
  const Connection* known = find(connection);
  return known != nullptr && known->snapshot_due();
}
Result<ConnectionHandle> Endpoint::adopt(ConfigPtr config, SessionState&& state,
                                         const UdpPath& path, Instant now) {
  return impl_->adopt(std::move(config), std::move(state), path, now);
}
Result<void> Endpoint::set_tag(ConnectionHandle connection, Bytes tag) {
  return impl_->set_tag(connection, tag);
}
Result<Pending> Endpoint::restore_wanted(WantedSession wanted, ConfigPtr config,
                                         SessionState&& state, const std::optional<UdpPath>& path,
                                         Instant now) {
  return impl_->restore_wanted(wanted, std::move(config), std::move(state), path, now);
}
Pending Endpoint::drop_wanted(WantedSession wanted, Instant now) {
  return impl_->drop_wanted(wanted, now);
}
void Endpoint::pin(ConnectionHandle connection) { impl_->pin(connection); }
void Endpoint::unpin() { impl_->unpin(); }
Connection* Endpoint::begin_input(ConnectionHandle connection) {
  return impl_->begin_input(connection);
}
Result<Pending> Endpoint::end_input(ConnectionHandle connection, const Result<Pending>& outcome) {
  return impl_->end_input(connection, outcome);
}
SendResult Endpoint::seal(ConnectionHandle connection, Bytes application_data, MutableBytes out) {
  return impl_->seal(connection, application_data, out);
}

tl::expected<EndpointTransmit, SendError> Endpoint::seal_datagram(ConnectionHandle connection,
                                                                  Bytes application_data,
                                                                  MutableBytes out) {
  const SendResult sealed = seal(connection, application_data, out);
  if (!sealed) return tl::unexpected(sealed.error());
  return EndpointTransmit{sealed->size, impl_->path_of(*impl_->slot_of(connection)), connection};
}

std::optional<EndpointData> Endpoint::poll_data() { return impl_->poll_data(); }
std::optional<EndpointEvent> Endpoint::poll_event() { return impl_->poll_event(); }
std::optional<EndpointTransmit> Endpoint::poll_transmit(MutableBytes out) {
  return impl_->poll_transmit(out);
}
std::optional<Instant> Endpoint::next_timeout() const { return impl_->next_timeout(); }

const Connection* Endpoint::find(ConnectionHandle connection) const {
  const auto* slot = impl_->slot_of(connection);
  return slot == nullptr ? nullptr : &*slot->connection;
}
std::optional<ConnectionHandle> Endpoint::find(const UdpPath& path) const {
  return impl_->find(path);
}
std::optional<UdpPath> Endpoint::path_of(ConnectionHandle connection) const {
  const auto* slot = impl_->slot_of(connection);
  return slot == nullptr ? std::nullopt : std::optional(impl_->path_of(*slot));
}
std::size_t Endpoint::size() const { return impl_->size(); }
std::size_t Endpoint::half_open() const { return impl_->half_open(); }
const EndpointStatistics& Endpoint::statistics() const { return impl_->statistics(); }
const ListenerStatistics& Endpoint::listener_statistics() const {
  return impl_->listener_statistics();
}

}  // namespace sluice::dtls
