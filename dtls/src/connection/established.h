// The state after a complete handshake: for exporters, later records and late retransmissions.
#pragma once

#include <memory>
#include <variant>
#include <vector>

#include "connection/accepted_peer.h"
#include "connection/peer_gate.h"
#include "connection/post_handshake12.h"
#include "connection/post_handshake13.h"
#include "connection/unaccepted_data.h"
#include "handshake/session.h"

namespace sluice::dtls::connection {

struct Established12 {
  handshake::Session12 session;
  PostHandshake12 post_handshake;
  // no_unique_address: the next member begins in its padding.
  [[no_unique_address]] AcceptedPeer peer;
  wire::MessageSeq peers_next{};  // message_seq of the peer's next message
};
struct Established13 {
  // no_unique_address: the next member begins in its padding.
  [[no_unique_address]] handshake::Session13 session;
  QuietPostHandshake13 quiet;                       // valid while no message is in progress
  std::unique_ptr<PostHandshake13> post_handshake;  // null: no message is in progress
  [[no_unique_address]] AcceptedPeer peer;
};
using Established = std::variant<Established12, Established13>;

// The handshake is complete, but the peer is not accepted yet.
struct AwaitingAcceptance {
  PeerGate gate;
  Established established;
  UnacceptedData unaccepted_data;
  std::vector<Event> session_events;  // in DTLS 1.2
  Instant give_up;                    // the handshake fails at this time
};

}  // namespace sluice::dtls::connection
