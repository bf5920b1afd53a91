// What goes on after a DTLS 1.3 handshake: the client's last flight until it is acknowledged, and
// messages that are each reliable by themselves (RFC 9147 section 5.8.4).
#pragma once

#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include <sluice/dtls/event.h>

#include "connection/acknowledgements.h"
#include "connection/shared.h"
#include "flight/reassembler.h"
#include "flight/reliable_flight.h"
#include "handshake13/session13.h"
#include "message/key_update.h"

namespace sluice::dtls::connection {

// What remains while nothing is under way.
struct QuietPostHandshake13 {
  wire::MessageSeq next{};        // of this side's next message
  wire::MessageSeq peers_next{};  // of the peer's
  // The first timeout of a flight, as the path's round trip has made it.
  std::chrono::duration<std::uint32_t, Duration::period> initial_timeout{};
};

// What the handshake leaves to what follows it.
struct EndOfHandshake13 {
  flight::Reassembler reassembler;
  Acknowledgements acknowledgements;
  flight::ReliableFlight last_flight;  // this side's
  wire::MessageSeq next_seq;
  Instant give_up;
};

class PostHandshake13 {
 public:
  PostHandshake13(const Shared& shared, EndOfHandshake13 handshake, Instant now);
  // Begins anew where nothing was under way.
  PostHandshake13(const Shared& shared, const QuietPostHandshake13& quiet);

  // What remains when nothing is under way any more; empty while something is.
  [[nodiscard]] std::optional<QuietPostHandshake13> quiet() const;

  // One handshake record of an encrypted epoch.
  Result<void> on_record(const record::Record& record, handshake::Session13& session, Instant now);
  Result<void> on_ack(std::span<const message::RecordNumber> numbers, handshake::Session13& session,
                      Instant now);
  // An authentic record has come: messages that were given up are sent again.
  void on_peer_heard(Instant now);
  Result<void> on_timeout(Instant now);
  [[nodiscard]] std::optional<Instant> next_timeout() const;

  // A server's NewSessionTicket, if the session is to be resumed.
  Result<void> issue_ticket(const handshake::Session13& session, Instant now);
  // Sessions that have come, or that are to be stored.
  std::vector<Event> take_session_events() { return std::exchange(session_events_, {}); }

  // Sends a KeyUpdate unless one is under way (RFC 9147 section 8). Errors: message_seq_exhausted.
  Result<void> update_keys(KeyUpdateRequest request, Instant now);
  [[nodiscard]] bool key_update_under_way() const {
    return key_update_under_way_ || deferred_update_;
  }

  // A flight with something to be written; null: none.
  [[nodiscard]] flight::ReliableFlight* flight_to_write();
  // A flight that has not been written to its end yet; null: none.
  [[nodiscard]] const flight::ReliableFlight* unsent_flight() const;
  [[nodiscard]] Acknowledgements& acknowledgements() { return acknowledgements_; }

 private:
  // How long records of the epoch before may still come: twice TCP's maximum segment lifetime.
  static constexpr Duration kOldKeysLifetime = std::chrono::minutes{4};

  // A trusted peer's tickets have a bound too: more than these are ignored.
  static constexpr std::size_t kMaxSessionEvents = 8;

  enum class Kind : std::uint8_t { last_flight, ticket, key_update };
  struct Outgoing {
    Kind kind;
    flight::ReliableFlight flight;
  };

  // Whether its record may be acknowledged.
  Result<bool> on_fragment(const message::HandshakeFragment& fragment, wire::Epoch epoch,
                           Instant now);
  Result<void> on_message(const flight::IncomingMessage& message, handshake::Session13& session,
                          Instant now);
  Result<void> on_key_update(const flight::IncomingMessage& message, handshake::Session13& session,
                             Instant now);
  Result<void> on_ticket(const flight::IncomingMessage& message,
                         const handshake::Session13& session, Instant now);
  // Begins the flight of one message. Nothing may follow a KeyUpdate before the keys have changed
  // (RFC 8446 section 4.6.3).
  template <class Encode>
  void send(Kind kind, wire::HandshakeType type, Instant now, Encode&& encode);
  [[nodiscard]] flight::ReliableFlight* client_last_flight();
  void expire_old_keys(Instant now);
  Result<void> switch_write_keys(handshake::Session13& session);
  // Once the server has acknowledged Finished, it doesn't repeat its own flight.
  void drop_handshake_keys();
  // That of the next epoch, from now on the session's.
  Result<schedule::HashSecret> next_secret(handshake::Session13& session, Role sender);
  [[nodiscard]] Duration ack_delay() const;

  Shared shared_;
  std::vector<Outgoing> outgoing_;  // what isn't acknowledged yet, in the order of message numbers
  flight::Reassembler reassembler_;
  Acknowledgements acknowledgements_;
  Duration initial_timeout_;
  wire::MessageSeq next_seq_;
  wire::Epoch read_epoch_ = wire::kFirstApplicationEpoch13;
  std::optional<Instant> old_keys_expire_;  // those of the epochs before read_epoch_
  bool has_received_ = false;  // a message that the peer may repeat: its ACK names all its records
  bool key_update_under_way_ = false;
  std::optional<KeyUpdateRequest> deferred_update_;  // waits for the ACK of the last flight
  std::vector<Event> session_events_;
};

}  // namespace sluice::dtls::connection
