// A complete handshake: what exporters, later records and late retransmissions need.
#pragma once

#include <memory>
#include <variant>
#include <vector>

#include "connection/peer_gate.h"
#include "connection/post_handshake12.h"
#include "connection/post_handshake13.h"
#include "connection/unaccepted_data.h"
#include "handshake/session.h"

namespace sluice::dtls::connection {

struct Established12 {
  handshake::Session12 session;
  PostHandshake12 post_handshake;
};
struct Established13 {
  handshake::Session13 session;
  QuietPostHandshake13 quiet;                       // while nothing is under way
  std::unique_ptr<PostHandshake13> post_handshake;  // null: nothing is
};
using Established = std::variant<Established12, Established13>;

// The handshake is complete, but nobody has accepted the peer yet.
struct AwaitingAcceptance {
  PeerGate gate;
  Established established;
  UnacceptedData unaccepted_data;
  std::vector<Event> session_events;  // of DTLS 1.2
};

}  // namespace sluice::dtls::connection
