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
  [[nodiscard]] bool has_last_flight() const { return last_flight_ != nullptr; }
  // Calls `visit(encoding)` for each message of the last flight, without ChangeCipherSpec.
  template <class Visit>
  void for_each_message(Visit&& visit) const {
    if (last_flight_ == nullptr) return;
    if (const flight::ReliableFlight* flight = last_flight()) {
      flight->for_each_message([&](wire::Epoch /*epoch*/, Bytes message) { visit(message); });
    } else {
      for_each_message_in(last_flight_->messages, visit);
    }
  }
  // The last flight with what sending it needs. Null where there is none, and where it has been
  // written and the peer has not repeated its own flight since.
  [[nodiscard]] flight::ReliableFlight* last_flight() const {
    return last_flight_ != nullptr ? last_flight_->flight.get() : nullptr;
  }
  // Of a flight that has been written only the messages are kept: nearly all peers receive it, and
  // those of the last four minutes may be a million.
  void release_unused();
  // Sets the RTT of the path, measured by the caller.
  void set_rtt(Duration rtt);

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
    Instant expires;
    std::unique_ptr<flight::ReliableFlight> flight;  // null: see last_flight()
    // In place of it: the encodings of its messages, and its first timeout.
    Buffer messages = {};
    Duration initial_timeout = {};
  };
  // Allocates the flight again if only its messages are kept.
  void make_last_flight(const RetransmissionTimers& timers);
  template <class Visit>
  static void for_each_message_in(Bytes messages, Visit&& visit);

  Result<Outcome> on_fragment(const message::HandshakeFragment& fragment, wire::MessageSeq next,
                              const Shared& shared, Instant now);

  std::unique_ptr<LastFlight> last_flight_;
};

template <class Visit>
void PostHandshake12::for_each_message_in(Bytes messages, Visit&& visit) {
  wire::Reader reader(messages);
  while (reader.more()) {
    const Bytes rest = reader.rest();
    if (!message::HandshakeFragment::take(reader)) return;
    visit(rest.first(rest.size() - reader.rest().size()));
  }
}

// The last flight of a connection that has sent it before: Finished with a ChangeCipherSpec before
// it, and perhaps a NewSessionTicket before that. `messages`: their encodings, one after the other.
flight::ReliableFlight last_flight_again(Bytes messages, const RetransmissionTimers& timers,
                                         Duration initial_timeout);

// The message with which the peer of `role` requests renegotiation.
constexpr wire::HandshakeType renegotiation_request(Role role) {
  return role == Role::client ? wire::HandshakeType::hello_request
                              : wire::HandshakeType::client_hello;
}

}  // namespace sluice::dtls::connection
