// Exports a transport and restores it.
#include <algorithm>
#include <string_view>
#include <utility>

#include <sluice/srtp/state.h>

#include "live_transport.h"
#include "media_transport_impl.h"

namespace sluice::transport {
namespace {

dtls::Error refused(std::string_view why) {
  return dtls::Error{.code = dtls::Errc::session_refused, .detail = why};
}

ExportBlocked blocked_by(dtls::ExportBlocked reason) {
  switch (reason) {
    case dtls::ExportBlocked::outputs_pending:
      return ExportBlocked::outputs_pending;
    case dtls::ExportBlocked::handshake_unconfirmed:
      return ExportBlocked::handshake_unconfirmed;
    case dtls::ExportBlocked::not_connected:
      break;
  }
  return ExportBlocked::not_connected;
}

}  // namespace

std::optional<ExportBlocked> MediaTransport::Impl::export_blocked() const {
  if (ended_) return ExportBlocked::not_connected;
  const auto* previous = associations_.previous();
  if (previous != nullptr && !previous->leaving()) return ExportBlocked::restart_under_way;
  if (!associations_.newest_connected()) return ExportBlocked::not_connected;
  const auto* newest = associations_.newest();
  if (const auto reason = newest->connection().export_blocked()) return blocked_by(*reason);
  if (newest->session_failure()) return ExportBlocked::not_connected;
  if (!events_.empty() || receiver_.has_packet(associations_)) {
    return ExportBlocked::outputs_pending;
  }
  return std::nullopt;
}

dtls::Result<TransportState> MediaTransport::Impl::export_session(
    const dtls::ExportOptions& options) {
  if (const auto reason = export_blocked()) {
    return tl::unexpected(
        dtls::Error{.code = dtls::Errc::export_blocked, .detail = to_string(*reason)});
  }
  auto& newest = *associations_.newest();
  LiveTransport live{.last_path = newest.connection().path(),
                     .selected = associations_.selected_for_newest(),
                     .rtt = rtt_,
                     .paths = associations_.newest_paths(),
                     .cryptex = options_.srtp.cryptex};
  if (mtu_) live.mtu = static_cast<std::uint32_t>(std::min<std::size_t>(*mtu_, UINT32_MAX));
  // First what can fail: SRTP's export cannot.
  const auto session = std::move(newest.connection()).export_session(options);
  if (!session) return dtls::forward_error(session);
  const auto srtp = newest.export_srtp();
  live.session = session->bytes();
  if (srtp) live.srtp = srtp->bytes();
  TransportState state(live.encode());
  ended_ = std::make_unique<const Ended>(Ended{Ended::By::user});
  return state;
}

dtls::Result<void> MediaTransport::Impl::restore(Bytes state, Instant now) {
  const auto live = LiveTransport::decode(state);
  if (!live) return dtls::forward_error(live);
  if (live->paths.size() > options_.max_paths) {
    return tl::unexpected(refused("max_paths: fewer than in the state"));
  }
  if (live->cryptex != srtp::Cryptex::off && !srtp::has_cryptex()) {
    return tl::unexpected(refused("srtp: cryptex, which this libsrtp has not"));
  }
  options_.srtp.cryptex = live->cryptex;
  auto session = dtls::SessionState::parse(live->session);
  if (!session) return dtls::forward_error(session);
  const auto path = live->selected.value_or(live->last_path);
  auto connection =
      dtls::Connection::restore(options_.dtls, *environment_, std::move(*session), path, now);
  if (!connection) return dtls::forward_error(connection);
  if (live->mtu) {
    mtu_ = *live->mtu;
    connection->set_path_mtu(*mtu_);
  }
  rtt_ = live->rtt;
  if (rtt_) connection->set_path_rtt(*rtt_);
  latest_ = now;
  role_ = connection->role();
  for (const auto each : live->paths) static_cast<void>(associations_.add_path(each));
  if (live->selected) static_cast<void>(associations_.select(*live->selected));
  auto& newest = associations_.begin_newest(std::move(*connection));
  if (!live->srtp) return {};
  return srtp::SrtpState::parse(*live->srtp).and_then([&](srtp::SrtpState srtp) {
    return newest.restore_srtp(std::move(srtp), options_.srtp);
  });
}

}  // namespace sluice::transport
