#include <sluice/ice_lite/ice_lite_server.h>

#include <utility>

#include "crypto/keyed_hash.h"
#include "crypto/library.h"
#include "impl.h"
#include "table/host_counts.h"

namespace sluice::ice_lite {
namespace {

constexpr std::size_t kMostTuplesOfSession = 1024;  // MediaTransportOptions::max_paths
constexpr std::size_t kMostEarlyTuples = 65536;

// The name of an option that is out of range; null: none is.
const char* out_of_range(const ServerOptions& options) {
  if (options.max_sessions >= dtls::table::kNoSlot) return "max_sessions";
  if (options.max_tuples_per_session == 0 ||
      options.max_tuples_per_session > kMostTuplesOfSession) {
    return "max_tuples_per_session";
  }
  if (options.max_tuples > TupleTable::kMost) return "max_tuples";
  if (options.ipv6_host_prefix > dtls::table::kIpv6Bits) return "ipv6_host_prefix";
  if (options.max_early_tuples > kMostEarlyTuples) return "max_early_tuples";
  if (options.tuple_hold < dtls::Duration::zero()) return "tuple_hold";
  if (options.max_timers_per_call == 0) return "max_timers_per_call";
  if (options.reserved_sessions > options.max_sessions) return "reserved_sessions";
  return nullptr;
}

}  // namespace

dtls::Result<IceLiteServer> IceLiteServer::make(const ServerOptions& options,
                                                dtls::Environment& environment) {
  if (const char* name = out_of_range(options)) {
    return tl::unexpected(dtls::Error{.code = dtls::Errc::invalid_config, .detail = name});
  }
  auto keyed = dtls::crypto::KeyedHash::make(environment.library());
  if (!keyed) return tl::unexpected(keyed.error());
  return IceLiteServer(std::make_unique<Impl>(options, environment, std::move(*keyed)));
}

IceLiteServer::IceLiteServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
IceLiteServer::IceLiteServer(IceLiteServer&&) noexcept = default;
IceLiteServer& IceLiteServer::operator=(IceLiteServer&&) noexcept = default;
IceLiteServer::~IceLiteServer() = default;

dtls::Result<SessionHandle> IceLiteServer::add_session(const SessionOptions& options, Instant now) {
  return impl_->add_session(options, now);
}
std::optional<Credentials> IceLiteServer::local_credentials(SessionHandle session) const {
  return impl_->local_credentials(session);
}
dtls::Result<void> IceLiteServer::set_remote_ufrag(SessionHandle session, std::string_view ufrag,
                                                   Instant now) {
  return impl_->set_remote_ufrag(session, ufrag, now);
}
dtls::Result<Pending> IceLiteServer::set_peer_fingerprints(
    SessionHandle session, std::span<const dtls::Fingerprint> announced, Instant now) {
  return apply(session, [&](transport::MediaTransport& transport) {
    return transport.set_peer_fingerprints(announced, now);
  });
}
dtls::Result<void> IceLiteServer::set_cryptex(SessionHandle session, srtp::Cryptex mode) {
  return impl_->set_cryptex(session, mode);
}
dtls::Result<void> IceLiteServer::set_rtt(SessionHandle session, dtls::Duration rtt) {
  return impl_->set_rtt(session, rtt);
}
dtls::Result<Credentials> IceLiteServer::restart_ice(SessionHandle session,
                                                     const IceRestart& restart, Instant now) {
  return impl_->restart_ice(session, restart, now);
}
dtls::Result<Pending> IceLiteServer::close(SessionHandle session, Instant now) {
  return impl_->close(session, now);
}
Pending IceLiteServer::close_all(Instant now) { return impl_->close_all(now); }
void IceLiteServer::remove(SessionHandle session) { impl_->remove(session); }
dtls::Result<SessionState> IceLiteServer::export_session(SessionHandle session, Instant now) {
  return impl_->export_session(session, now);
}
ExportedSessions IceLiteServer::export_sessions(Instant now) { return impl_->export_sessions(now); }
std::optional<transport::ExportBlocked> IceLiteServer::export_blocked(SessionHandle session) const {
  return impl_->export_blocked(session);
}
dtls::Result<SessionHandle> IceLiteServer::restore(SessionState state,
                                                   const RestoreOptions& options, Instant now) {
  return impl_->restore(state, options, now);
}
transport::MediaTransport* IceLiteServer::begin_input(SessionHandle session) {
  return impl_->begin_input(session);
}
dtls::Result<Pending> IceLiteServer::end_input(
    SessionHandle session, const dtls::Result<transport::TransportPending>& outcome) {
  return impl_->end_input(session, outcome);
}

Pending IceLiteServer::handle_datagram(MutableBytes datagram, const dtls::UdpPath& path,
                                       Instant now) {
  return impl_->handle_datagram(datagram, path, now);
}
BatchPending IceLiteServer::handle_datagrams(std::span<const dtls::ReceivedDatagram> datagrams,
                                             Instant now) {
  return impl_->handle_datagrams(datagrams, now);
}
Pending IceLiteServer::path_closed(const dtls::UdpPath& path, Instant now) {
  return impl_->path_closed(path, now);
}
Pending IceLiteServer::handle_timeout(Instant now) { return impl_->handle_timeout(now); }

tl::expected<Transmit, srtp::PacketError> IceLiteServer::protect_rtp(SessionHandle session,
                                                                     MutableBytes buffer,
                                                                     std::size_t size) {
  return impl_->protect(transport::MediaKind::rtp, session, buffer, size);
}
tl::expected<Transmit, srtp::PacketError> IceLiteServer::protect_rtcp(SessionHandle session,
                                                                      MutableBytes buffer,
                                                                      std::size_t size) {
  return impl_->protect(transport::MediaKind::rtcp, session, buffer, size);
}
tl::expected<Transmit, dtls::SendError> IceLiteServer::seal_data(SessionHandle session,
                                                                 Bytes application_data,
                                                                 MutableBytes out) {
  return impl_->seal_data(session, application_data, out);
}

std::optional<Transmit> IceLiteServer::poll_transmit(MutableBytes out) {
  return impl_->poll_transmit(out);
}
std::optional<Data> IceLiteServer::poll_data() { return impl_->poll_data(); }
std::optional<Media> IceLiteServer::poll_media() { return impl_->poll_media(); }
std::optional<Event> IceLiteServer::poll_event() { return impl_->poll_event(); }
std::optional<Instant> IceLiteServer::next_timeout() const { return impl_->next_timeout(); }

const transport::MediaTransport* IceLiteServer::find(SessionHandle session) const {
  return impl_->find(session);
}
srtp::Session* IceLiteServer::srtp_session(SessionHandle session) {
  return impl_->srtp_session(session);
}
std::optional<SessionHandle> IceLiteServer::find(const dtls::UdpPath& path) const {
  return impl_->find(path);
}
std::optional<dtls::UdpPath> IceLiteServer::path_of(SessionHandle session) const {
  return impl_->path_of(session);
}
std::size_t IceLiteServer::size() const { return impl_->size(); }
std::size_t IceLiteServer::tuples() const { return impl_->tuples(); }
const ServerStatistics& IceLiteServer::statistics() const { return impl_->statistics(); }

}  // namespace sluice::ice_lite
