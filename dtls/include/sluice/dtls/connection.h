// One DTLS association. No socket, no thread, no clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/clock.h>
#include <sluice/dtls/config.h>
#include <sluice/dtls/connection_id.h>
#include <sluice/dtls/environment.h>
#include <sluice/dtls/error.h>
#include <sluice/dtls/event.h>
#include <sluice/dtls/fingerprint.h>
#include <sluice/dtls/live_session.h>
#include <sluice/dtls/packet_observer.h>
#include <sluice/dtls/path.h>
#include <sluice/dtls/resumption.h>
#include <sluice/dtls/srtp_keys.h>
#include <sluice/dtls/statistics.h>

namespace sluice::dtls {

// Which outputs are to be polled after an input. An output whose flag is clear is empty and need
// not be polled; polling it is harmless. `data` and `event` are also set for what comes once
// poll_transmit() has returned the last flight of the handshake.
struct Pending {
  bool transmit = false;
  bool data = false;
  bool event = false;
  bool timer = false;  // next_timeout() may have changed
  // The input contained a record that authenticated, or released one that had waited for its keys.
  // Replayed and forged records do not set it. Only a Connection sets it; an Endpoint does not.
  bool record_opened = false;
  // A datagram has brought an authenticated record with this side's connection ID that is newer, by
  // epoch and number, than all before it. If the datagram came on another path, its sender may have
  // moved there; an attacker may also have been faster with a copy (RFC 9146 section 6). Only a
  // Connection sets it; an Endpoint does not.
  bool newest_record = false;
};

// One datagram that poll_transmit() wrote.
struct Transmit {
  std::size_t size;
  PathId path;
};

// Why seal() wrote nothing. None of these ends the connection.
enum class SendError : std::uint8_t {
  not_connected,      // before Connected, or after the end
  too_large,          // above ConnectionInfo::max_application_data
  limit_reached,      // the epoch's record numbers are used up (RFC 6347 section 4.1), or its
                      // key's limit is reached and the peer acknowledges no KeyUpdate
  snapshot_needed,    // what the snapshots have reserved is used up: see snapshot()
  buffer_too_small,   // `out` is smaller than data + kSealOverhead, or than sealed_size()
  libcrypto_failure,  // such as no memory: a later call may succeed
};
// The size of the record that seal() wrote, in bytes; converts to it.
struct Sealed {
  // NOLINTNEXTLINE(google-explicit-constructor): it is that number, with a note.
  constexpr Sealed(std::size_t bytes = 0, bool timer_changed = false)
      : size(bytes), timer(timer_changed) {}
  // NOLINTNEXTLINE(google-explicit-constructor)
  constexpr operator std::size_t() const { return size; }

  std::size_t size;
  // next_timeout() may have become earlier, for example because new keys are due: a program that
  // only sends looks at next_timeout() again.
  bool timer;
};
using SendResult = tl::expected<Sealed, SendError>;

std::string_view to_string(SendError error);

// The largest application data of one record, in bytes (RFC 5246 section 6.2.1).
inline constexpr std::size_t kMaxApplicationData = 16384;
// The largest overhead of a record, in bytes: a header of 13, and what its cipher suite adds, for
// an AEAD 24. ConfigOptions::record_padding and the peer's connection ID, in DTLS 1.2 with a byte
// for the type, are not included: see Connection::sealed_size().
inline constexpr std::size_t kSealHeadRoom = 13 + RecordRoom12::kMaxHead;
inline constexpr std::size_t kSealTailRoom = RecordRoom12::kMaxTail;
inline constexpr std::size_t kSealOverhead = kSealHeadRoom + kSealTailRoom;
// Bytes that hold any datagram of poll_transmit().
inline constexpr std::size_t kMaxDatagram = 16384;

// What a connection that is not connected yet waits for. Where it waits longer than
// RetransmissionTimers::total, it ends with handshake_timeout, and Error::detail says the same.
enum class WaitingFor : std::uint8_t {
  nothing,       // it is connected, or has ended
  client_hello,  // a server: no ClientHello has arrived. The only wait without a limit
  peer_message,  // the peer's next handshake message
  config,        // the answer to ConfigRequested
  psk,           // the answer to PskRequested
  session,       // the answer to SessionRequested
  identity,      // the answer to IdentityRequested
  signature,     // the answer to SignatureRequested
  // The handshake is complete: set_peer_fingerprints(), or the answer to PeerCertificateReceived.
  peer_acceptance,
  connection_acceptance,  // the answer to ConnectionToVerify
};

std::string_view to_string(WaitingFor what);

// RFC 9147 section 9 leaves the number open.
inline constexpr std::size_t kMaxSpareConnectionIds = 8;

class Admission;  // <sluice/dtls/listener.h>
struct Accepted;

// Move-only. Used by one thread at a time together with its Environment, which must outlive it.
//
// After every input, also after one that failed (its alert is still to be sent), drain the outputs,
// each until empty: poll_transmit(), poll_data(), poll_event(); then next_timeout(). An answer() or
// close() that an event leads to is an input like any other: drain again. Another order loses
// nothing. Connected, and data that waits for it, come after poll_transmit() has returned the last
// flight of the handshake; if they came too late for this turn, next_timeout() says once that
// handle_timeout() is due now. Data that was released so stays valid until the input after that.
//
// The peer may still receive data before the flight that it needs to read them, because the network
// reorders. It keeps up to 4096 bytes of such records. ConfigOptions::max_unaccepted_data bounds
// the data that is kept until Connected, that is until the peer is accepted and the last flight of
// this side has been polled. What is above these bounds is dropped and counted, as unknown_epoch
// and unaccepted_data_full.
//
// An input returns an Error with `is_fatal` once, when the connection ends by it; inputs after the
// end succeed and change nothing. Other Errors of inputs change nothing: the call was not valid.
// What the RFCs require to be discarded is discarded and counted; it is never an Error.
class Connection {
 public:
  // A client's first flight is ready to be polled. Datagrams go to `path` until set_path().
  // `session` is offered for resumption, unless it has expired or the Config does not allow it.
  // `ids` makes the connection ID of this side, if ConfigOptions::connection_id_size asks for one,
  // which must be of its size; it is not owned and must outlive the Connection. Null: random IDs.
  // Errors: libcrypto_failure; invalid_config where the Config cannot be used in this role, with
  // the field's name in Error::detail. The same errors apply to server().
  static Result<Connection> client(ConfigPtr config, Environment& environment, PathId path,
                                   Instant now, const std::optional<ResumableSession>& session = {},
                                   ConnectionIdSource* ids = nullptr);
  static Result<Connection> server(ConfigPtr config, Environment& environment, PathId path,
                                   Instant now, ConnectionIdSource* ids = nullptr);

  // A server for a client that a Listener has admitted. It continues with the ClientHello that held
  // the cookie; its answer is ready to be polled.
  static Accepted accept(Admission admission, Environment& environment, PathId path, Instant now,
                         ConnectionIdSource* ids = nullptr);

  // Continues the session of another connection, which export_session() has ended: the same keys
  // and record numbers, the same info(), no handshake and no Connected event. Its datagrams go to
  // `path`. It has no ciphers until the first record. `state` is moved from on success only.
  //
  // `config` is checked as if the session were to begin now. Errors: invalid_config, as client()
  // and server(); session_refused where it has not the version, the cipher suite, the SRTP profile,
  // psk_ke, a client's max_fragment_length, the type of the peer's certificate or the peer's PSK
  // any more, where it requires what the session lacks, where its policy (ConfigOptions::policy_id)
  // is another, or where the chain of the peer's certificate has expired. A PSK that is not in
  // pre_shared_keys is the caller's to judge where ask_for_psk is set. Times of the state are on
  // the clock of `now`, so a clock that starts anew with the process makes the peer's chain valid
  // for longer. `ids`, as in client(), makes further connection IDs; those of the session stay in
  // use (own_connection_ids()), and connection_id_size must be theirs.
  static Result<Connection> restore(ConfigPtr config, Environment& environment,
                                    SessionState&& state, PathId path, Instant now,
                                    ConnectionIdSource* ids = nullptr);

  Connection(Connection&&) noexcept;
  Connection& operator=(Connection&&) noexcept;
  ~Connection();

  // ---- inputs

  // Takes one datagram and decrypts it in place; spans from poll_data() point into it. `path` is
  // where it came from. Where return routability checks are agreed on (ConnectionInfo), a new path
  // of the peer is checked, and path() changes when the peer has answered there (PathChanged).
  Result<Pending> handle_datagram(MutableBytes datagram, PathId path, Instant now);
  // Call it at next_timeout() or later; an earlier call does nothing.
  Result<Pending> handle_timeout(Instant now);
  // Answers the question of an Event. Rejecting the peer returns a fatal Error (peer_rejected),
  // whose alert is queued. An answer to an unknown question, or with an index out of range, returns
  // invalid_argument and changes nothing; so does a UseConfig that cannot be used, with
  // invalid_config and the field's name in Error::detail.
  template <class Answers>
  Result<Pending> answer(QuestionOf<Answers> question, const std::type_identity_t<Answers>& answer,
                         Instant now) {
    return this->answer(question.id(),
                        std::visit([](const auto& one) { return Answer(one); }, answer), now);
  }
  // The same for programs that keep questions of several kinds: an answer of the wrong kind returns
  // invalid_argument and changes nothing.
  Result<Pending> answer(QuestionId question, const Answer& answer, Instant now);
  // Accepts the peer by the fingerprint of its certificate (RFC 8122), before or after that
  // arrives, also after Connected. A peer whose certificate does not match ends the connection at
  // once with bad_certificate (peer_rejected); so does one that has none, because a PSK
  // authenticates it or because it sent none. An answer AcceptPeer, or a chain that was verified,
  // does not replace the match. After Connected, the connection knows the certificate by its
  // SHA-256 and by the hash that it was accepted by. Fingerprints by other hashes are ignored then,
  // and a list that has no others counts as a mismatch. An empty list matches no certificate. Fatal
  // errors: peer_rejected, and invalid_config on a server whose PeerAuthentication is none.
  Result<Pending> set_peer_fingerprints(std::span<const Fingerprint> announced, Instant now);
  // New keys for what this side sends (DTLS 1.3, RFC 9147 section 8), and with update_requested for
  // what the peer sends, used once the peer has acknowledged the KeyUpdate. Until then another call
  // only starts its retransmission again, if that has ended (RetransmissionTimers::total). Keys
  // also change by ConfigOptions::max_records_per_key. Errors that change nothing: not_connected,
  // invalid_argument (DTLS 1.2); fatal: message_seq_exhausted.
  Result<Pending> update_keys(KeyUpdateRequest request, Instant now);
  // Asks the peer for `count` spare connection IDs, 1 to 255, which come sooner or later, or fewer
  // of them; up to kMaxSpareConnectionIds are kept (DTLS 1.3, RFC 9147 section 9). A peer that asks
  // gets as many. Errors that change nothing: not_connected, invalid_argument (DTLS 1.2, the peer
  // wants no connection ID in our records, or has not answered the last request); fatal:
  // message_seq_exhausted.
  Result<Pending> request_connection_ids(std::size_t count, Instant now);
  // Has the peer use a new connection ID in its records. The IDs before it remain valid until 8
  // later ones have been used. Errors that change nothing: not_connected, invalid_argument (DTLS
  // 1.2, or the peer's records have no connection ID); fatal: message_seq_exhausted, those of the
  // ConnectionIdSource.
  Result<Pending> renew_connection_id(Instant now);
  // Our records carry the next spare connection ID from now on, and never the present one again.
  // set_path() does the same when there is a spare. Errors: not_connected, invalid_argument (there
  // is no spare).
  Result<void> change_connection_id();
  // Queues close_notify and ends the connection; a handshake in progress is abandoned.
  Result<Pending> close(Instant now);

  // The path of the datagrams from poll_transmit() from now on. It ends a return routability check
  // that is under way. Where such checks are agreed on, records that still come on the path before
  // this one begin none.
  void set_path(PathId path);
  // The largest datagram of the path, in bytes (256 to 16384), for handshake flights that are not
  // yet sent.
  void set_path_mtu(std::size_t mtu);
  // A measured round-trip time: the first timeout of flights sent from now on, also after the
  // handshake, is twice that (RetransmissionTimers::initial has the range).
  void set_path_rtt(Duration rtt);

  // ---- application data

  // Writes one record with `application_data` to `out` and returns its size in bytes: send it to
  // path(). `out` must have kSealOverhead bytes more than the data (with record_padding or
  // connection IDs sealed_size()) and must not overlap it. There is no queue. Allocates only to
  // rebuild the cipher contexts of an idle connection (Environment::Options::max_warm_connections).
  SendResult seal(Bytes application_data, MutableBytes out);
  // The size that seal() would now write at most, padding included; 0 before Connected.
  [[nodiscard]] std::size_t sealed_size(std::size_t application_data) const;

  // ---- outputs

  // Writes the next datagram to `out`, which must hold the path's MTU.
  std::optional<Transmit> poll_transmit(MutableBytes out);
  // The next application data in order of arrival; valid until the next input.
  std::optional<MutableBytes> poll_data();
  std::optional<Event> poll_event();
  // When to call handle_timeout(); empty: no timer runs. Never earlier than the time of the last
  // input, which means at once.
  [[nodiscard]] std::optional<Instant> next_timeout() const;

  // ---- sessions that move

  // Ends this connection, without a word to the peer, and returns what restore() continues it from.
  // Errors: export_blocked, invalid_argument (a tag that is too long); the connection goes on then.
  // Statistics, the path, its MTU and its RTT, and return routability checks do not move.
  Result<SessionState> export_session(const ExportOptions& options = {}) &&;
  // Why export_session() would fail now; empty: it would not.
  [[nodiscard]] std::optional<ExportBlocked> export_blocked() const;

  // For sessions that are to survive a crash. A snapshot is a state like that of export_session(),
  // but this connection goes on, and the snapshot starts SnapshotOptions::records further on:
  //
  //   1. Take a snapshot and store it in place of the one before.
  //   2. When it is durable, call snapshot_stored(): this connection may then send up to where the
  //      snapshot starts, and no further.
  //   3. When snapshot_due(), take the next one. Where that comes too late, seal() returns
  //      snapshot_needed, and acknowledgements and alerts wait, too.
  //
  // So no record number is used twice, whichever goes on after a crash. The first snapshot limits
  // this connection at once; a connection that was restored from a snapshot sends nothing before it
  // has stored one of its own. Records that the peer sent between the snapshot and the crash are
  // not in the replay window of the snapshot: who recorded them can have them delivered again.
  // Where the peer has changed its keys since, or uses a connection ID that it got since
  // (DTLS 1.3), the snapshot cannot read it.
  //
  // Errors of snapshot(): export_blocked (outputs do not block it), invalid_argument.
  Result<Snapshot> snapshot(const SnapshotOptions& options = {});
  // An input. The snapshot must have replaced the earlier ones, so that none of them is restored.
  // Errors: not_connected; invalid_argument for a snapshot that this connection has not taken.
  Result<Pending> snapshot_stored(SnapshotId snapshot, Instant now);
  // Whether half of the newest snapshot's records are used, or handshake messages have been
  // exchanged since, such as for new keys or connection IDs. False if no snapshot was taken, and
  // this connection is not restored from one.
  [[nodiscard]] bool snapshot_due() const;

  // ---- state

  [[nodiscard]] Role role() const;
  // The number that a PacketObserver receives.
  [[nodiscard]] ConnectionNumber number() const;
  [[nodiscard]] PathId path() const;
  // Those for change_connection_id().
  [[nodiscard]] std::size_t spare_connection_ids() const;
  // All that the peer may use; the ones that it was given last come last.
  [[nodiscard]] std::vector<ConnectionId> own_connection_ids() const;
  // Whether `id` is one of them.
  [[nodiscard]] bool has_own_connection_id(Bytes id) const;
  [[nodiscard]] bool connected() const;
  // Whether the peer is known to have what completes the handshake. A DTLS 1.3 client is Connected
  // before the server has its Finished; this becomes true when the server acknowledges it (RFC 9147
  // section 7), or the connection fails with handshake_timeout. Otherwise as connected().
  [[nodiscard]] bool handshake_confirmed() const;
  // Closed or failed: inputs change nothing, only the last outputs remain.
  [[nodiscard]] bool ended() const;
  [[nodiscard]] WaitingFor waiting_for() const;
  // Why the connection failed; empty while it has not ended, and if either side has closed it.
  [[nodiscard]] std::optional<Error> error() const;
  // Empty until Connected; stays after the end.
  [[nodiscard]] std::optional<ConnectionInfo> info() const;
  [[nodiscard]] Statistics statistics() const;

  // Fills `out` with exported keying material (RFC 5705; DTLS 1.3: RFC 8446 section 7.5). An absent
  // and an empty context differ only in DTLS 1.2. Errors: not_connected, invalid_argument (a label
  // that RFC 5246 reserves, a context above 65535 bytes; in DTLS 1.3 also a label above 249 bytes,
  // or more output than 255 times the hash's size).
  Result<void> export_keying_material(MutableBytes out, std::string_view label,
                                      std::optional<Bytes> context) const;
  // The SRTP keys (RFC 5764 section 4.2). Errors: not_connected, srtp_not_negotiated.
  [[nodiscard]] Result<SrtpKeys> srtp_keys() const;

 private:
  class Impl;
  explicit Connection(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::dtls
