// What Association::poll_event() returns.
#pragma once

#include <cstdint>
#include <string_view>
#include <variant>

#include <sluice/data_channel/channel.h>
#include <sluice/dtls/bytes.h>

namespace sluice::data_channel {

// Both sides can send. Comes once.
struct Established {};

// The peer has opened a channel by a DATA_CHANNEL_OPEN (RFC 8832). It can be used at once.
struct ChannelOpened {
  ChannelId id{};
  ChannelOptions options = {};
};

// The peer has acknowledged a channel that open() has made. Messages may be sent before.
struct ChannelAcknowledged {
  ChannelId id{};
};

struct MessageReceived {
  ChannelId id{};
  MessageType type = MessageType::binary;
  dtls::Bytes data = {};  // may be empty; valid until the next call of the association
};

// Association::buffered_amount() has fallen to the threshold or below.
struct BufferedAmountLow {
  ChannelId id{};
};

// Both sides have closed the channel; its ID is free. A channel that open() has made and the peer
// refuses closes without ChannelAcknowledged (RFC 8832 section 6).
struct ChannelClosed {
  ChannelId id{};
};

enum class CloseReason : std::uint8_t {
  local,    // close()
  peer,     // the peer has aborted or shut down the association, or has restarted in the middle of
            // a message
  timeout,  // the peer does not answer: no association, or too many retransmissions
};

std::string_view to_string(CloseReason reason);

// The association has ended; all channels are gone. The last event.
struct Closed {
  CloseReason reason = CloseReason::local;
};

using Event = std::variant<Established, ChannelOpened, ChannelAcknowledged, MessageReceived,
                           BufferedAmountLow, ChannelClosed, Closed>;

}  // namespace sluice::data_channel
