// What a connection tells its user, and asks.
#pragma once

#include <cstdint>
#include <span>
#include <variant>
#include <vector>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/fingerprint.h>
#include <sluice/dtls/statistics.h>

namespace sluice::dtls {

enum class QuestionId : std::uint32_t {};

// Is this the peer that was meant? Asked when its certificate has arrived, unless
// Connection::set_peer_fingerprints() came before it. The handshake goes on meanwhile; there is no
// Connected before Connection::answer().
struct PeerCertificateReceived {
  QuestionId question;
  std::vector<Buffer> chain;  // DER, the peer's own certificate first
};

// The handshake is complete and the peer accepted: keys can be exported, data sent.
struct Connected {
  ConnectionInfo info;
};

// The peer has sent close_notify; what it sent before has been delivered. Ours has been queued.
struct Closed {};

using Event = std::variant<PeerCertificateReceived, Connected, Closed>;

// Answers to PeerCertificateReceived.
struct AcceptPeer {};
struct RejectPeer {
  Alert alert = Alert::bad_certificate;
};
using Answer = std::variant<AcceptPeer, RejectPeer>;

}  // namespace sluice::dtls
