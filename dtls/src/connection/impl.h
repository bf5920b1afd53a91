// The implementation of Connection: parses records and passes them to the present phase.
#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include <sluice/dtls/connection.h>
#include <sluice/dtls/listener.h>

#include "connection/counters.h"
#include "connection/input.h"
#include "connection/outputs.h"
#include "connection/path_changes.h"
#include "connection/phase.h"
#include "connection/shared.h"
#include "connection/transmission.h"
#include "connection/warm_state.h"
#include "crypto/config_table.h"
#include "message/alert.h"

namespace sluice::dtls {

// Most connections are open and silent most of the time, so this class is small. State that only a
// handshake, a question or an unfinished record needs is allocated separately and freed afterwards.
class Connection::Impl {
 public:
  // It has no phase until begin_handshake() or restore(). `ids`: the source of this side's
  // connection IDs; null: random ones.
  Impl(ConfigPtr config, Environment& environment, Role role, PathId path, Instant now,
       ConnectionIdSource* ids);
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl();

  // Whether a connection can be made with these. Errors: invalid_config.
  static Result<void> check(const ConfigOptions& config, Environment& environment, Role role,
                            const ConnectionIdSource* ids);
  // Continues an exported session. Errors: as Connection::restore(); decode_error.
  static Result<std::unique_ptr<Impl>> restore(ConfigPtr config, Environment& environment,
                                               Bytes state, PathId path, Instant now,
                                               ConnectionIdSource* ids);

  void begin_handshake(KeyLog* key_log);
  Result<void> start_client(const std::optional<ResumableSession>& session, Instant now);
  Result<Pending> accept(Admission::Impl& admission, Instant now);

  // Inputs, as in Connection.
  Result<Pending> handle_datagram(MutableBytes datagram, PathId path, Instant now);
  Result<Pending> handle_timeout(Instant now);
  Result<Pending> answer(QuestionId question, const Answer& answer, Instant now);
  Result<Pending> set_peer_fingerprints(std::span<const Fingerprint> announced, Instant now);
  Result<Pending> update_keys(KeyUpdateRequest request, Instant now);
  // Asks for so many spare connection IDs, or, without a number, has the peer use a new one.
  Result<Pending> exchange_ids(std::optional<std::size_t> spares, Instant now);
  Result<void> change_connection_id();
  Result<Pending> close(Instant now);
  void set_path(PathId path);
  void set_path_mtu(std::size_t mtu);
  void set_path_rtt(Duration rtt);

  SendResult seal(Bytes application_data, MutableBytes out);
  [[nodiscard]] std::size_t sealed_size(std::size_t application_data) const;

  // Outputs.
  std::optional<Transmit> poll_transmit(MutableBytes out);
  std::optional<MutableBytes> poll_data() { return warm_.take_data(); }
  std::optional<Event> poll_event();
  [[nodiscard]] std::optional<Instant> next_timeout() const;

  // Sessions that move (impl_export.cc).
  Result<SessionState> export_session(const ExportOptions& options);
  [[nodiscard]] std::optional<ExportBlocked> export_blocked() const;
  Result<Snapshot> snapshot(const SnapshotOptions& options);
  Result<Pending> snapshot_stored(SnapshotId snapshot, Instant now);
  [[nodiscard]] bool is_snapshot_due() const;

  [[nodiscard]] Role role() const { return role_; }
  [[nodiscard]] ConnectionNumber number() const { return number_; }
  [[nodiscard]] PathId path() const { return path_; }
  [[nodiscard]] const record::ConnectionIds& connection_ids() const {
    return warm_.records().connection_ids();
  }
  // A peer's connection ID must not leave a record without room for contents.
  [[nodiscard]] std::size_t path_mtu() const {
    return std::max<std::size_t>(mtu_,
                                 kMinimumMtu + warm_.records().connection_ids().peers().size());
  }
  [[nodiscard]] Statistics statistics() const { return counters_.statistics(); }
  // Empty until the peer is accepted, and after the end.
  [[nodiscard]] std::optional<handshake::SessionView> session() const {
    return connection::open_session(phase_);
  }
  [[nodiscard]] WaitingFor waiting_for() const { return connection::waiting_for(phase_); }
  [[nodiscard]] bool ended() const { return std::holds_alternative<Ended>(phase_); }
  [[nodiscard]] std::optional<Error> error() const;
  // Empty until the connection opens; stays after the end.
  [[nodiscard]] std::optional<ConnectionInfo> info() const;
  // Whether the handshake is complete, the peer is accepted, and the last flight has been written.
  [[nodiscard]] bool is_open() const { return connection::is_open(phase_); }
  [[nodiscard]] bool is_handshake_confirmed() const {
    const auto* messages = connection::messages_under_way(phase_);
    return is_open() && (messages == nullptr || !messages->has_last_flight());
  }
  [[nodiscard]] crypto::Library& library() const { return config_.library(); }

 private:
  using Ended = connection::Ended;
  using Input = connection::Input;
  using HandshakeDriver = connection::HandshakeDriver;
  using AwaitingAcceptance = connection::AwaitingAcceptance;

  [[nodiscard]] connection::Shared shared() {
    return {config_.options(), library(), warm_.records(), counters_, outputs_, role_};
  }

  // Each input begins and ends with these.
  // Whether the connection has ended.
  [[nodiscard]] bool begin_input(Instant now);
  Result<Pending> end_input(const Result<void>& outcome, const Input& input = {});
  void set_time(Instant now);
  // `error`: null if either side has closed the connection.
  void end(std::unique_ptr<const Error> error);
  // Frees the state of messages after the handshake, and of outputs, once they are done.
  void release_unused();

  // Records (impl_records.cc).
  Result<void> handle_records(MutableBytes datagram, Input& input);
  Result<void> replay_future_records(Input& input);
  Result<void> on_record(const record::Record& record, Input& input);
  Result<void> on_handshake(const record::Record& record, Instant now);
  Result<void> on_change_cipher_spec(const record::Record& record, Instant now);
  Result<void> on_alert(const record::Record& record, Instant now);
  Result<void> on_application_data(const record::Record& record);
  Result<void> on_ack(const record::Record& record, Instant now);

  // Processes the result of a step of the handshake.
  Result<void> after_step(const Result<HandshakeDriver::Progress>& progress, Instant now);
  void open_if_accepted();
  // Starts anew with another Config from the ClientHello that has arrived.
  Result<void> use_config(const ConfigPtr& config, Instant now);
  // The peer is accepted.
  void open();
  // Reports sessions that can be resumed, once the peer is accepted.
  void report_sessions();

  // The state for messages after a DTLS 1.3 handshake; allocates it if it does not exist.
  connection::PostHandshake13& post_handshake(connection::Established13& complete);
  // Whether half of the records that one key may seal are sealed (RFC 9147 section 4.5.3).
  [[nodiscard]] bool is_key_update_due() const;
  // Whether handle_timeout() has something to do at once.
  [[nodiscard]] bool is_due_now() const;
  Result<void> update_due_keys(Instant now);

  void queue_alert(message::AlertLevel level, Alert alert);
  void observe_datagram(Direction direction, PathId path, Bytes datagram) const;

  static constexpr Instant kNoTimeout = Instant::max();

  crypto::ConfigTable::Use config_;
  ConnectionNumber number_;
  connection::WarmState warm_;
  [[no_unique_address]] connection::Phase phase_;  // the next member begins in its padding
  Role role_;
  std::uint16_t mtu_;
  PathId path_;
  connection::Counters counters_;
  connection::Outputs outputs_;
  Instant latest_ = Instant::min();  // the time of the last input
};

}  // namespace sluice::dtls
