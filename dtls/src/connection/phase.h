// The phases of a connection, each with what is valid in it alone.
#pragma once

#include <memory>
#include <optional>
#include <variant>

#include "connection/early_data.h"
#include "connection/peer_gate.h"
#include "flight/reassembler.h"
#include "flight/retransmission_timer.h"
#include "handshake/handshake.h"

namespace sluice::dtls::connection {

// Encrypted records that overtook the messages their keys come from (RFC 6347 section 4.1 lets a
// receiver keep them): a Finished that is kept saves the peer a retransmission of its whole flight.
class EarlyRecords {
 public:
  bool keep(Bytes record) {
    if (bytes_.size() + record.size() > kLimit) return false;
    bytes_.insert(bytes_.end(), record.begin(), record.end());
    return true;
  }
  // All of them, one after another, as a datagram has them.
  Buffer take() { return std::exchange(bytes_, {}); }

 private:
  // A Finished, and some data behind it.
  static constexpr std::size_t kLimit = 4096;
  Buffer bytes_;
};

// The handshake's memory: gone as a whole when it ends.
struct Handshaking {
  Handshaking(const ConfigOptions& config, crypto::Library& library, record::RecordLayer& records)
      : context(config, library, records),
        reassembler({config.max_handshake_message, config.max_reassembly}),
        timer(config.timers),
        early_data(config.max_early_data) {}

  handshake::Context context;
  handshake::Handshake machine = handshake::Handshake::server();
  flight::Reassembler reassembler;
  flight::RetransmissionTimer timer;
  EarlyRecords early_records;
  EarlyData early_data;
  std::optional<Instant> give_up;  // set once the peer or we have begun
  bool change_cipher_spec_seen = false;
  Instant flight_sent{};          // when the present flight left, the last time
  bool flight_sent_once = false;  // and has not been answered yet
};

// Answers a peer that didn't get our last flight and so repeats its own (RFC 6347 section 4.2.4).
struct LastFlight {
  // Twice the maximum segment lifetime of TCP.
  static constexpr Duration kLifetime = std::chrono::minutes{4};

  flight::OutgoingFlight flight;
  Instant expires;
  Duration pause;  // after each answer: one repetition may be many datagrams
  Instant paused_until = Instant::min();
};

// The handshake is complete. What remains is what exporters and late retransmissions need.
struct Established {
  handshake::Session12 session;
  std::unique_ptr<LastFlight> last_flight;  // null for who didn't send the last flight, or later
  wire::MessageSeq next_seq;  // of the next handshake message that the peer would send
};

// Complete, but nobody has said yet that the peer is the right one.
struct AwaitingAcceptance {
  Established established;
  EarlyData early_data;
};

struct Open {
  Established established;
};

struct Ended {
  std::optional<Error> error;  // empty: closed in order, by either side
};

using Phase = std::variant<std::unique_ptr<Handshaking>, AwaitingAcceptance, Open, Ended>;

}  // namespace sluice::dtls::connection
