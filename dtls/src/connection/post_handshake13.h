// What goes on after a DTLS 1.3 handshake: the last flight until it is acknowledged, and single
// messages that are reliable in the same way (RFC 9147 section 5.8.4).
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include <sluice/dtls/event.h>

#include "connection/acknowledgements.h"
#include "connection/handshaking.h"
#include "handshake13/session13.h"
#include "message/key_update.h"

namespace sluice::dtls::connection {

// What remains while nothing is under way.
struct QuietPostHandshake13 {
  wire::MessageSeq next{};        // of this side's next message
  wire::MessageSeq peers_next{};  // of the peer's
  // A flight's first timeout, as the path's round trip has made it.
  std::chrono::duration<std::uint32_t, Duration::period> initial_timeout{};
};

class PostHandshake13 {
 public:
  // Goes on from where the handshake stopped: its message numbers, and a client's last flight.
  PostHandshake13(Handshaking& handshaking, Role role, Instant now);
  // Begins anew where nothing was under way.
  PostHandshake13(const QuietPostHandshake13& quiet, const ConfigOptions& config,
                  crypto::Library& library, record::RecordLayer& records, Role role);

  // What remains when nothing is under way any more; empty while something is.
  [[nodiscard]] std::optional<QuietPostHandshake13> quiet() const;

  // One handshake record of an encrypted epoch.
  Result<void> on_record(const record::Record& record, handshake::Session13& session, Instant now);
  Result<void> on_ack(std::span<const message::RecordNumber> numbers, handshake::Session13& session,
                      Instant now);
  Result<void> on_timeout(Instant now);
  [[nodiscard]] std::optional<Instant> next_timeout() const;

  // A server's NewSessionTicket, if the session is to be resumed.
  Result<void> issue_ticket(const handshake::Session13& session, const ConfigOptions& config,
                            Instant now);
  // Sessions that have come, or that are to be stored.
  std::vector<Event> take_session_events() { return std::exchange(session_events_, {}); }

  // Sends a KeyUpdate unless one is under way (RFC 9147 section 8). Errors: message_seq_exhausted.
  Result<void> update_keys(KeyUpdateRequest request, Instant now);

  [[nodiscard]] bool key_update_under_way() const {
    return key_update_under_way_ || deferred_update_;
  }

  [[nodiscard]] flight::OutgoingFlight& flight() { return flight_; }
  [[nodiscard]] Acknowledgements& acknowledgements() { return acknowledgements_; }
  [[nodiscard]] std::uint32_t take_retransmissions() { return std::exchange(retransmissions_, 0); }

 private:
  // How long records of the epoch before may still come: twice TCP's maximum segment lifetime.
  static constexpr Duration kOldKeysLifetime = std::chrono::minutes{4};

  // A peer that is trusted, but not without measure: more tickets than this are left.
  static constexpr std::size_t kMaxSessionEvents = 8;

  // Whether its record may be acknowledged.
  Result<bool> on_fragment(const message::HandshakeFragment& fragment, wire::Epoch epoch,
                           Instant now);
  Result<void> on_message(const flight::IncomingMessage& message, handshake::Session13& session,
                          Instant now);
  Result<void> on_key_update(const flight::IncomingMessage& message, handshake::Session13& session,
                             Instant now);
  void repeat_flight(Instant now);
  Result<void> on_ticket(const flight::IncomingMessage& message,
                         const handshake::Session13& session, Instant now);
  Result<void> switch_write_keys(handshake::Session13& session);
  // Once the server has acknowledged Finished, it won't repeat its own flight.
  void forget_handshake_keys();
  // That of the next epoch, from now on the session's.
  Result<schedule::HashSecret> next_secret(handshake::Session13& session, Role sender);

  crypto::Library* library_;
  record::RecordLayer* records_;
  Role role_;
  flight::OutgoingFlight flight_;
  flight::RetransmissionTimer timer_;
  flight::Reassembler reassembler_;
  Acknowledgements acknowledgements_;
  wire::MessageSeq next_seq_;
  wire::Epoch read_epoch_ = wire::kFirstApplicationEpoch13;
  Instant give_up_ = Instant::max();
  std::optional<Instant> old_keys_expire_;        // those of the epochs before read_epoch_
  Instant no_answer_until_ = Instant::min();      // to what a server repeats of its flight
  Instant no_ack_answer_until_ = Instant::min();  // the flight was repeated just before
  bool has_received_ = false;                     // when that is repeated, the ACK names all of it
  bool key_update_under_way_ = false;
  std::optional<KeyUpdateRequest> deferred_update_;
  std::vector<Event> session_events_;
  std::uint32_t retransmissions_ = 0;
};

}  // namespace sluice::dtls::connection
