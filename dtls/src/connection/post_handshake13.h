// State after a DTLS 1.3 handshake: the client's last flight until it is acknowledged, and messages
// that are acknowledged one by one (RFC 9147 section 5.8.4).
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include <sluice/dtls/event.h>

#include "connection/acknowledgements.h"
#include "connection/live_session.h"
#include "connection/shared.h"
#include "flight/reassembler.h"
#include "flight/reliable_flight.h"
#include "handshake13/session13.h"
#include "message/key_update.h"
#include "message/new_connection_id.h"
#include "negotiation/connection_ids.h"

namespace sluice::dtls::connection {

// The state that remains while no message is in progress.
struct QuietPostHandshake13 {
  wire::MessageSeq next{};        // message_seq of this side's next message
  wire::MessageSeq peers_next{};  // message_seq of the peer's next message
  bool awaits_ids = false;        // the peer has not answered our RequestConnectionId
  // The first timeout of a flight, which depends on the RTT of the path.
  std::chrono::duration<std::uint32_t, Duration::period> initial_timeout{};

  // `timeout`: one that does not fit, which is longer than an hour, becomes the longest that does.
  void set_initial_timeout(Duration timeout) {
    using Timeout = decltype(initial_timeout);
    initial_timeout = std::chrono::duration_cast<Timeout>(
        std::min(timeout, std::chrono::duration_cast<Duration>(Timeout::max())));
  }
};

// The state that the handshake passes on.
struct EndOfHandshake13 {
  flight::Reassembler reassembler;
  Acknowledgements acknowledgements;
  flight::ReliableFlight last_flight;  // this side's
  wire::MessageSeq next_seq{};
  Instant give_up;
  schedule::HashSecret old_read_secret;  // of a server; see handshake::Transport
};

class PostHandshake13 {
 public:
  // `ids`: the source of this side's connection IDs; null: random ones.
  PostHandshake13(const Shared& shared, EndOfHandshake13 handshake, ConnectionIdSource* ids,
                  Instant now);
  // Continues from the state in which no message was in progress.
  PostHandshake13(const Shared& shared, const QuietPostHandshake13& quiet, ConnectionIdSource* ids);

  // ---- a connection that moves. Its messages are sent again, in new records. What was to be
  // acknowledged is forgotten: the peer repeats it, and that is acknowledged.

  using MessagesUnderWay = LiveSession13::MessagesUnderWay;
  [[nodiscard]] wire::MessageSeq next_seq() const { return next_seq_; }
  // LiveSession13::peers_next.
  [[nodiscard]] std::uint32_t peers_next() const {
    return reassembler_.is_used_up() ? LiveSession13::kUsedUp
                                     : wire::value_of(reassembler_.next_seq());
  }
  [[nodiscard]] bool awaits_ids() const { return awaits_ids_; }
  // Empty: there are none. The client's last flight is not part of them.
  [[nodiscard]] std::optional<MessagesUnderWay> messages_under_way() const;
  // To be called on a new object. Errors: those of the reassembler; invalid_config where the
  // Config's limits are too small for what was acknowledged.
  Result<void> restore(const MessagesUnderWay& messages, Instant now);
  // The keys of the epoch before the present one can still be read.
  void restore_old_keys(schedule::HashSecret read_secret, Instant now) {
    keep_old_keys(std::move(read_secret), now);
  }
  // Of the epoch before the present one, as long as that can be read; empty otherwise.
  [[nodiscard]] const schedule::HashSecret& old_read_secret() const { return old_read_secret_; }
  void restore_used_up() { reassembler_.start_used_up(); }

  // The remaining state if no message is in progress; empty otherwise.
  [[nodiscard]] std::optional<QuietPostHandshake13> quiet() const;

  // Processes a handshake record of an encrypted epoch.
  Result<void> on_record(const record::Record& record, handshake::Session13& session, Instant now);
  // `epoch` is that of the ACK's own record.
  Result<void> on_ack(std::span<const message::RecordNumber> numbers, wire::Epoch epoch,
                      handshake::Session13& session, Instant now);
  // The peer was heard from: the messages whose retransmission has ended are retransmitted again,
  // each for at most kMaxPeriods times RetransmissionTimers::total.
  void on_peer_heard(Instant now);
  // This side sends under keys that a KeyUpdate is to replace. If its retransmission has ended, it
  // is resumed at the next timeout, which is due at once: a peer that only receives sends nothing
  // but ACKs, and without new keys this side could not go on.
  void on_data_sent();
  [[nodiscard]] bool is_resume_due() const { return is_resume_due_; }
  Result<void> on_timeout(handshake::Session13& session, Instant now);
  [[nodiscard]] std::optional<Instant> next_timeout() const;

  // Sends the server's NewSessionTicket if the session is resumable.
  Result<void> issue_ticket(const handshake::Session13& session, Instant now);
  // The events for sessions that were received or are to be stored.
  std::vector<Event> take_session_events() { return std::exchange(session_events_, {}); }

  // Sends a KeyUpdate unless one is in progress (RFC 9147 section 8). Errors:
  // message_seq_exhausted.
  Result<void> update_keys(KeyUpdateRequest request, Instant now);
  [[nodiscard]] bool key_update_under_way() const {
    return key_update_under_way_ || deferred_update_;
  }

  // Asks the peer for spare connection IDs, 1 to 255 (RFC 9147 section 9). Errors that change
  // nothing: invalid_argument (the peer wants none in our records, or has not answered the last
  // request); fatal: message_seq_exhausted.
  Result<void> request_ids(std::size_t count, Instant now);
  // Has the peer use a new connection ID at once. Errors that change nothing: invalid_argument
  // (this side has asked for none); fatal: message_seq_exhausted, those of the source.
  Result<void> renew_id(Instant now);

  // Sets the RTT of the path, measured by the caller.
  void set_rtt(Duration rtt);
  // Whether a client's last flight is not acknowledged yet.
  [[nodiscard]] bool has_last_flight() const {
    // It has the lowest numbers, so it is the first entry.
    return !outgoing_.empty() && outgoing_.front().kind == Kind::last_flight;
  }

  // A flight with data to be written; null: none.
  [[nodiscard]] flight::ReliableFlight* flight_to_write();
  // A flight that has not been written completely yet; null: none.
  [[nodiscard]] const flight::ReliableFlight* unsent_flight() const;
  [[nodiscard]] Acknowledgements& acknowledgements() { return acknowledgements_; }

 private:
  // How long records of the previous epoch are accepted: twice TCP's maximum segment lifetime.
  static constexpr Duration kOldKeysLifetime = std::chrono::minutes{4};
  // How often the retransmission of one message takes RetransmissionTimers::total: at first, and
  // then while a peer that does not acknowledge it is heard. With the default timers that is at
  // most 27 retransmissions at first, and 28 each later time.
  static constexpr unsigned kMaxPeriods = 4;

  // Limits the tickets even of an authenticated peer. Further ones are ignored.
  static constexpr std::size_t kMaxSessionEvents = 8;

  enum class Kind : std::uint8_t { last_flight, ticket, key_update, request_id, new_id };
  struct Outgoing {
    Kind kind{};
    flight::ReliableFlight flight;
    unsigned periods = 1;
  };
  // A record that is acknowledged when its KeyUpdate has been processed.
  struct Unprocessed {
    message::RecordNumber number;
    wire::MessageSeq key_update{};
  };

  // Of a message that is sent after the handshake.
  static Kind kind_of(wire::HandshakeType type);
  // Whether the record of the fragment may be acknowledged.
  Result<bool> on_fragment(const message::HandshakeFragment& fragment, wire::Epoch epoch,
                           Instant now);
  Result<void> on_message(const flight::IncomingMessage& message, handshake::Session13& session,
                          Instant now);
  Result<void> on_key_update(const flight::IncomingMessage& message, handshake::Session13& session,
                             Instant now);
  Result<void> on_ticket(const flight::IncomingMessage& message,
                         const handshake::Session13& session, Instant now);
  Result<void> on_request_id(const flight::IncomingMessage& message);
  Result<void> on_new_id(const flight::IncomingMessage& message);
  // Sends RequestConnectionId and NewConnectionId when they are due and may be sent: RFC 9147
  // section 5.8.4 allows one of each kind at a time.
  Result<void> send_due_ids(Instant now);
  Result<void> send_new_ids(Instant now);
  [[nodiscard]] bool is_under_way(Kind kind) const;
  // Starts the flight of one message. No message may follow a KeyUpdate before the keys have
  // changed (RFC 8446 section 4.6.3).
  template <class Encode>
  Result<void> send(Kind kind, wire::HandshakeType type, Instant now, Encode&& encode);
  void resume_given_up(Instant now);
  // A KeyUpdate must not be acknowledged before the messages before it, and itself, are processed
  // (draft-ietf-tls-rfc9147bis): its sender changes keys then.
  void acknowledge_processed(Instant now);
  void expire_old_keys(Instant now);
  void keep_old_keys(schedule::HashSecret read_secret, Instant now);
  // Changes the write keys once the peer has processed the KeyUpdate, or sends one that waits.
  Result<void> continue_key_update(handshake::Session13& session, Instant now);
  Result<void> switch_write_keys(handshake::Session13& session);
  // Drops the handshake keys. After the server has acknowledged Finished, it no longer retransmits
  // its flight.
  void drop_handshake_keys();
  // Derives the traffic secret of the next epoch and stores it in the session.
  Result<schedule::HashSecret> next_secret(handshake::Session13& session, Role sender);
  [[nodiscard]] Duration ack_delay() const;

  Shared shared_;
  std::vector<Outgoing> outgoing_;  // unacknowledged, in the order of message_seq
  flight::Reassembler reassembler_;
  Acknowledgements acknowledgements_;
  Duration initial_timeout_;
  wire::MessageSeq next_seq_;
  wire::Epoch read_epoch_ = wire::kFirstApplicationEpoch13;
  std::optional<Instant> old_keys_expire_;  // the keys of epochs before read_epoch_
  schedule::HashSecret old_read_secret_;    // that they come from; empty: there are none
  // Until then the peer may repeat messages; an ACK lists all their records.
  std::optional<Instant> received_expire_;
  std::vector<Unprocessed> unprocessed_;  // at most ReceivedRecords::kMax
  bool key_update_under_way_ = false;
  bool is_key_update_acknowledged_ = false;
  bool is_resume_due_ = false;
  std::optional<KeyUpdateRequest> deferred_update_;  // sent after the ACK of the last flight
  ConnectionIdSource* id_source_;
  std::size_t ids_to_request_ = 0;             // in a RequestConnectionId that is to be sent
  bool awaits_ids_ = false;                    // it was sent, or is to be, and is unanswered
  std::optional<std::size_t> spares_to_send_;  // that the peer has asked for
  bool is_renewal_due_ = false;
  std::vector<Event> session_events_;
};

}  // namespace sluice::dtls::connection
