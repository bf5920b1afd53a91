// A connection in a named state, a genuine peer beside it, and an input that says what happens.
#pragma once

#include <sluice/dtls/connection.h>

#include <cstdint>
#include <deque>
#include <optional>

#include "wire/reader.h"
#include "wire/types.h"

namespace sluice::fuzz {

// How far the handshake is when the input takes over. Each state holds for both roles.
enum class State : std::uint8_t {
  fresh,       // a client has said hello, a server has seen nothing
  midst,       // the peer's first flight has been answered
  unaccepted,  // complete, but nobody has said that the peer is the right one
  connected,
};
inline constexpr unsigned kStates = 4;

// What a step of the input does; its arguments follow it.
enum class Step : std::uint8_t {
  datagram,        // length, bytes: from anybody on the path
  next_from_peer,  // offset, mask: the peer's next datagram, one byte changed unless the mask is 0
  sealed_record,   // type, length, bytes: sealed by the peer's keys once there are any
  handshake,     // type, message_seq, offset, claimed length, length, bytes: the same, well formed
  time,          // milliseconds
  answer,        // question, accept or reject
  fingerprints,  // right or wrong
  path,          // MTU, milliseconds of RTT
  data,          // length: seals application data
  close,
  connection_ids,  // bits, count: 1: this side, else the peer; then asks for spare IDs, gives a new
                   // one to be used at once, or uses a spare (RFC 9147 section 9)
};
inline constexpr unsigned kSteps = 11;

// All randomness is deterministic: the same input does the same.
class Harness {
 public:
  // `choices` picks suite, group and other options, and whether a session is resumed.
  Harness(dtls::Role role, State state, std::uint8_t choices);
  // Runs steps until the input ends.
  void run(dtls::wire::Reader& input);

 private:
  void step(Step step, dtls::wire::Reader& input);
  void next_from_peer(dtls::wire::Reader& input);
  void sealed_record(dtls::wire::ContentType type, dtls::Bytes contents);
  void handshake(dtls::wire::Reader& input);
  void connection_ids(unsigned what, std::size_t count);

  // Hands a datagram in. `genuine`: the peer made it, so it may have an effect.
  void receive(dtls::Buffer datagram, bool genuine);
  // Takes all outputs after an input and checks them against its outcome.
  void settle(const dtls::Result<dtls::Pending>& outcome);
  void take_data();
  void take_events();
  void take_datagrams();
  void check_promises();
  void check_connection_ids();
  void deliver_all();

  dtls::ConfigPtr config_;
  dtls::Connection connection_;
  dtls::Connection peer_;
  dtls::Instant now_{};
  std::deque<dtls::Buffer> from_peer_;
  std::optional<dtls::QuestionId> question_;
  std::optional<dtls::Error> error_;
  bool accepts_ = false;
  std::size_t mtu_;
  // How much has come out so far.
  std::uint64_t sent_ = 0;
  unsigned data_ = 0;
  unsigned events_ = 0;
  unsigned connected_ = 0;
};

// The first two bytes choose state and options, the rest are steps.
void run_connection(dtls::Role role, dtls::wire::Reader input);

}  // namespace sluice::fuzz
