// Data channels (RFC 8831 section 6.4).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace sluice::data_channel {

// The SCTP stream ID of a channel, the same in both directions: even for channels that the DTLS
// client opens, odd for those of the server (RFC 8832 section 6); a peer that has it the other way
// round is accepted. Free again after ChannelClosed.
enum class ChannelId : std::uint16_t {};

// Limit in bytes for a label and for a protocol name. RFC 8832 allows 65,535; a DATA_CHANNEL_OPEN
// above the limit is refused.
inline constexpr std::size_t kMaxChannelName = 1024;

struct ChannelOptions {
  std::string label = {};     // UTF-8, up to kMaxChannelName bytes; need not be unique
  std::string protocol = {};  // a subprotocol, as label; empty: none
  // Messages arrive in the order in which they were sent.
  bool ordered = true;
  // At most one of these. Neither: messages are sent until they arrive (RFC 8832 section 5.1).
  std::optional<std::uint32_t> max_retransmits = {};
  std::optional<std::chrono::milliseconds> max_lifetime = {};  // 0 to 2^32 - 1 ms
  std::uint16_t priority = 256;  // told to the peer (RFC 8831 section 6.4): 256 is normal
};

enum class MessageType : std::uint8_t { text, binary };  // text is UTF-8; it is not checked

}  // namespace sluice::data_channel
