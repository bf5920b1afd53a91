// Exports a connection and restores it.
#include <algorithm>

#include "connection/impl.h"
#include "connection/live_export.h"
#include "connection/live_restore.h"

namespace sluice::dtls {
namespace {

tl::unexpected<Error> blocked_by(ExportBlocked reason) {
  return tl::unexpected(Error{Errc::export_blocked, {}, 0, to_string(reason)});
}

}  // namespace

std::optional<ExportBlocked> Connection::Impl::export_blocked() const {
  if (!is_open()) return ExportBlocked::not_connected;
  // What waits for a snapshot cannot be polled, and is sent again where the session goes on.
  const bool has_datagram = !warm_.records().waits_for_snapshot() &&
                            connection::has_output(outputs_, warm_.records(), phase_, role_);
  if (has_datagram || outputs_.has_event() || warm_.has_data()) {
    return ExportBlocked::outputs_pending;
  }
  if (!is_handshake_confirmed()) return ExportBlocked::handshake_unconfirmed;
  return std::nullopt;
}

Result<SessionState> Connection::Impl::export_session(const ExportOptions& options) {
  if (const auto reason = export_blocked()) return blocked_by(*reason);
  const auto session = connection::live_session_of(shared(), phase_, options);
  if (!session) return forward_error(session);
  SessionState state(session->encode());
  end(nullptr);
  warm_.records().drop_keys();
  return state;
}

Result<Snapshot> Connection::Impl::snapshot(const SnapshotOptions& options) {
  if (!is_open()) return blocked_by(ExportBlocked::not_connected);
  if (!is_handshake_confirmed()) return blocked_by(ExportBlocked::handshake_unconfirmed);
  if (options.records < SnapshotOptions::kMinimum || options.records > SnapshotOptions::kMaximum) {
    return tl::unexpected(Error{Errc::invalid_argument, {}, 0, "records: out of range"});
  }
  auto session =
      connection::live_session_of(shared(), phase_, {options.tag, options.with_certificates});
  if (!session) return forward_error(session);
  auto& records = warm_.records();
  const bool is_first = records.send_limit() == nullptr;
  auto& limit = is_first ? records.limit_sending(record::record_number(session->write))
                         : *records.send_limit();
  // Where the key's limit is near, what changes the key must still fit.
  const std::uint64_t reserve = std::min<std::uint64_t>(
      options.records, std::max<std::uint64_t>(records.data_left(), SnapshotOptions::kMinimum));
  const std::uint64_t start =
      limit.take_snapshot(session->write, reserve, connection::handshake_progress(phase_, records));
  // Nothing else can be restored yet.
  if (is_first) limit.snapshot_stored(start);
  session->write = record::write_numbers_of(start);
  session->send_limit = start;
  return Snapshot{SnapshotId{start}, SessionState(session->encode())};
}

Result<Pending> Connection::Impl::snapshot_stored(SnapshotId snapshot, Instant now) {
  if (begin_input(now)) return end_input({});
  if (!is_open()) return tl::unexpected(Error{Errc::not_connected});
  record::SendLimit* limit = warm_.records().send_limit();
  if (limit == nullptr || !limit->snapshot_stored(static_cast<std::uint64_t>(snapshot))) {
    return tl::unexpected(Error{Errc::invalid_argument, {}, 0, "no such snapshot"});
  }
  return end_input({});
}

bool Connection::Impl::is_snapshot_due() const {
  const auto& records = warm_.records();
  const record::SendLimit* limit = records.send_limit();
  return is_open() && limit != nullptr &&
         limit->is_snapshot_due(records.write_numbers(),
                                connection::handshake_progress(phase_, records));
}

Result<std::unique_ptr<Connection::Impl>> Connection::Impl::restore(ConfigPtr config,
                                                                    Environment& environment,
                                                                    Bytes state, PathId path,
                                                                    Instant now,
                                                                    ConnectionIdSource* ids) {
  auto session = connection::LiveSession::decode(state);
  if (!session) return forward_error(session);
  const auto allowed =
      connection::check_restorable(*session, config->options(), environment.library(), ids, now);
  if (!allowed) return forward_error(allowed);
  auto impl = std::make_unique<Impl>(std::move(config), environment, session->role, path, now, ids);
  impl->set_time(now);
  auto phase = connection::restored_phase(impl->shared(), std::move(*session), ids, now);
  if (!phase) return forward_error(phase);
  impl->phase_ = std::move(*phase);
  return impl;
}

}  // namespace sluice::dtls
