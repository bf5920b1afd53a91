// One data channel of an association.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include <sluice/data_channel/channel.h>
#include <sluice/dtls/clock.h>

#include "dcep.h"
#include "sctp_socket.h"

namespace sluice::data_channel {

// A message that waits for room in SCTP's send buffer.
struct QueuedMessage {
  PayloadProtocol protocol;
  Buffer data;
  std::size_t size;  // as the user counts it: 0 for an empty one
  dtls::Instant queued_at;
};

struct ChannelState {
  ChannelOptions options;
  // Until the peer has sent something on it, messages go ordered, so that none overtakes the
  // DATA_CHANNEL_OPEN (RFC 8832 section 6).
  bool peer_knows = false;
  bool closing = false;          // no more messages are taken
  bool reset_requested = false;  // of the outgoing stream
  bool outgoing_closed = false;
  bool incoming_closed = false;
  std::uint8_t refused_resets = 0;
  std::deque<QueuedMessage> queue = {};
  std::size_t buffered = 0;  // bytes of `queue` that the user has sent
  std::size_t low_threshold = 0;

  [[nodiscard]] bool closed() const { return outgoing_closed && incoming_closed; }
  // Without an answer of the peer.
  void close_both() { outgoing_closed = incoming_closed = true; }
  // DCEP messages are ordered and reliable, all others as the channel is.
  [[nodiscard]] Delivery delivery(PayloadProtocol protocol, dtls::Duration waited) const {
    Delivery how;
    if (protocol == PayloadProtocol::dcep) return how;
    how.ordered = options.ordered || !peer_knows;
    how.max_retransmits = options.max_retransmits;
    if (options.max_lifetime) {
      const auto left =
          *options.max_lifetime - std::chrono::duration_cast<std::chrono::milliseconds>(waited);
      how.max_lifetime = static_cast<std::uint32_t>(left.count());
    }
    return how;
  }
  [[nodiscard]] bool expired(const QueuedMessage& message, dtls::Instant now) const {
    return message.protocol != PayloadProtocol::dcep && options.max_lifetime &&
           now - message.queued_at > *options.max_lifetime;
  }
};

}  // namespace sluice::data_channel
