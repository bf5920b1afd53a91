// State after a DTLS 1.2 handshake: the last flight, for a peer that retransmits its own, and the
// refusal of further handshake messages (RFC 6347 section 4.2.4).
#pragma once

#include <memory>
#include <optional>
#include <span>

#include "connection/shared.h"
#include "flight/reliable_flight.h"
#include "message/handshake_fragment.h"

namespace sluice::dtls::connection {

class PostHandshake12 {
 public:
  // Keeps the last flight of the handshake, which this side has sent.
  void keep_last_flight(flight::ReliableFlight flight, Instant now);
  // The peer has received the last flight.
  void drop_last_flight() { last_flight_.reset(); }
  // Null if this side has none or has dropped it.
  [[nodiscard]] flight::ReliableFlight* last_flight() const {
    return last_flight_ != nullptr ? &last_flight_->flight : nullptr;
  }

  enum class Outcome : std::uint8_t { handled, wants_renegotiation };
  // Processes a handshake record. A request to renegotiate must be refused with a warning alert
  // (RFC 8827 section 6.5); the connection continues. `next` is the message_seq of the peer's next
  // message.
  Result<Outcome> on_record(const record::Record& record, wire::MessageSeq next,
                            const Shared& shared, Instant now);
  void on_timeout(Instant now);
  [[nodiscard]] std::optional<Instant> next_timeout() const;

 private:
  // Twice TCP's maximum segment lifetime.
  static constexpr Duration kLastFlightLifetime = std::chrono::minutes{4};

  struct LastFlight {
    flight::ReliableFlight flight;
    Instant expires;
  };

  Result<Outcome> on_fragment(const message::HandshakeFragment& fragment, wire::MessageSeq next,
                              const Shared& shared, Instant now);

  std::unique_ptr<LastFlight> last_flight_;
};

// The last flight of a connection that moves, which has sent it before: Finished with a
// ChangeCipherSpec before it, and perhaps a NewSessionTicket before that.
flight::ReliableFlight last_flight_again(std::span<const Buffer> messages,
                                         const RetransmissionTimers& timers);

// The message with which the peer of `role` requests renegotiation.
constexpr wire::HandshakeType renegotiation_request(Role role) {
  return role == Role::client ? wire::HandshakeType::hello_request
                              : wire::HandshakeType::client_hello;
}

}  // namespace sluice::dtls::connection
