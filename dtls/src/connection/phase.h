// The phases of a connection, each with what is valid in it alone.
#pragma once

#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "connection/handshaking.h"
#include "connection/peer_gate.h"
#include "connection/post_handshake13.h"

namespace sluice::dtls::connection {

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
struct Established12 {
  handshake::Session12 session;
  std::unique_ptr<LastFlight> last_flight;  // null for who didn't send the last flight, or later
  wire::MessageSeq next_seq;  // of the next handshake message that the peer would send
};
struct Established13 {
  handshake::Session13 session;
  QuietPostHandshake13 quiet;                       // while nothing is under way
  std::unique_ptr<PostHandshake13> post_handshake;  // null: nothing is
};
using Established = std::variant<Established12, Established13>;

// Complete, but nobody has said yet that the peer is the right one.
struct AwaitingAcceptance {
  PeerGate gate;
  Established established;
  UnacceptedData unaccepted_data;
  std::vector<Event> session_events;  // of DTLS 1.2
};

struct Ended {
  std::unique_ptr<const Error> error;  // null: closed in order, by either side
};

// Those that are Established are open. None is larger, as most connections are for most of the
// time.
using Phase = std::variant<std::unique_ptr<Handshaking>, std::unique_ptr<AwaitingAcceptance>,
                           Established12, Established13, Ended>;

}  // namespace sluice::dtls::connection
