// What a handshake sends: its flight, the numbers of its messages, and the records that carry them.
#pragma once

#include <utility>

#include <sluice/dtls/connection_id.h>

#include "flight/reliable_flight.h"
#include "record/record_layer.h"
#include "schedule/hkdf13.h"

namespace sluice::dtls::handshake {

class Transport {
 public:
  Transport(record::RecordLayer& record_layer, const RetransmissionTimers& timers)
      : records(record_layer), flight(timers) {}

  record::RecordLayer& records;
  flight::ReliableFlight flight;
  // Of this side's connection IDs, which the peer's records carry; null: random bytes.
  ConnectionIdSource* connection_ids = nullptr;
  // Of the client's handshake records in DTLS 1.3, which a server may receive again afterwards.
  schedule::HashSecret old_read_secret = {};

  // Drops the present flight, which the peer has answered.
  void begin_flight() {
    flight.clear();
    flight_begun_ = true;
  }
  // Whether a flight was begun since the last call. False as long as it is held.
  bool take_flight_begun() { return !flight.is_held() && std::exchange(flight_begun_, false); }

  // A held flight is not sent, because its last messages depend on the answer to a question.
  void hold_flight() { flight.hold(); }
  void release_flight() { flight.release(); }

  // The message_seq of this side's next message.
  [[nodiscard]] wire::MessageSeq next_seq() const { return next_seq_; }
  // A Listener has sent the messages before this one.
  void start_at(wire::MessageSeq seq) { next_seq_ = seq; }

  // Appends a message to the flight and returns its encoding for the transcript; valid until the
  // next call. Errors: excessive_message.
  template <class Encode>
  Result<Bytes> add_message(wire::HandshakeType type, wire::Epoch epoch, Encode&& encode) {
    const wire::MessageSeq seq = std::exchange(next_seq_, wire::next(next_seq_));
    return flight.add_message(type, seq, epoch, std::forward<Encode>(encode));
  }

 private:
  wire::MessageSeq next_seq_{0};
  bool flight_begun_ = false;
};

}  // namespace sluice::dtls::handshake
