// Makes a connection as strict as other stacks are, as somebody on its path who can read along.
#pragma once

#include <set>
#include <vector>

#include "support/handshake_watch.h"
#include "support/middlebox.h"

namespace sluice::test {

// Stands before one side of a connection, and lets through only what these stacks can use:
//  - NSS drops what follows a fragment that it has already, in its record.
//  - pion before 3.1.15 and dimpl in DTLS 1.2 never complete a message of which fragments overlap.
//  - A record of a fragment and anything more is dropped.
//  - Records of keys that the peer lacks are dropped.
// Its ACKs leave late: each with the next datagram of its side.
class StrictPeer {
 public:
  // `plaintext_messages`: how many the other side sends before it has keys.
  StrictPeer(dtls::Role role, const HandshakeWatch& watch, std::size_t plaintext_messages)
      : role_(role), watch_(&watch), messages_(plaintext_messages) {}

  // A datagram arrives, from either side; what is delivered in its place.
  std::vector<dtls::Buffer> operator()(dtls::Role sender, const dtls::Buffer& datagram);

  // Records that were dropped for their contents, not for keys.
  [[nodiscard]] std::size_t refused() const { return refused_; }

 private:
  std::vector<dtls::Buffer> to_peer(const dtls::Buffer& datagram);
  std::vector<dtls::Buffer> from_peer(const dtls::Buffer& datagram);
  bool takes(const WatchedRecord& record);
  // Whether fragments of the message overlap. Those of a message that has arrived don't matter.
  bool is_spoilt(const WatchedFragment& fragment);

  dtls::Role role_;
  const HandshakeWatch* watch_;
  WatchedMessages messages_;                 // for the strict side
  std::set<dtls::wire::MessageSeq> spoilt_;  // messages
  dtls::Buffer late_acks_;
  std::size_t refused_ = 0;
};

}  // namespace sluice::test
