// A connection while its handshake runs.
#pragma once

#include <optional>
#include <utility>

#include "connection/acknowledgements.h"
#include "connection/open_question.h"
#include "connection/peer_gate.h"
#include "connection/unaccepted_data.h"
#include "flight/reassembler.h"
#include "flight/retransmission_timer.h"
#include "handshake/handshake.h"

namespace sluice::dtls::connection {

// Encrypted records that overtook the messages their keys come from (RFC 6347 section 4.1 lets a
// receiver keep them): a Finished that is kept saves the peer a retransmission of its whole flight.
class FutureRecords {
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
  Handshaking(const ConfigOptions& config, crypto::Library& library, record::RecordLayer& records,
              KeyLog* key_log)
      : context(config, library, records, key_log),
        reassembler({config.max_handshake_message, config.max_reassembly}),
        timer(config.timers),
        unaccepted_data(config.max_unaccepted_data) {}

  handshake::Context context;
  handshake::Handshake machine = handshake::Handshake::server();
  OpenQuestion question;
  PeerGate gate;
  flight::Reassembler reassembler;
  flight::RetransmissionTimer timer;
  Acknowledgements acknowledgements;  // of DTLS 1.3
  FutureRecords future_records;
  UnacceptedData unaccepted_data;
  std::optional<Instant> give_up;  // set once the peer or we have begun
  wire::MessageSeq
      answered_seq{};  // the peer's messages before this one have our flight for an answer
  bool change_cipher_spec_seen = false;
  bool is_rtt_given = false;      // by the caller: no measurement of ours counts
  Instant flight_sent{};          // when the present flight left, the last time
  bool flight_sent_once = false;  // and has not been answered yet
  // No ACK has it sent once more before then.
  Instant no_ack_answer_until = Instant::min();
};

}  // namespace sluice::dtls::connection
