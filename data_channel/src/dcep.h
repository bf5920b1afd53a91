// Data channel messages: payload protocol identifiers (RFC 8831) and DCEP (RFC 8832).
#pragma once

#include <cstdint>
#include <optional>

#include <sluice/data_channel/channel.h>

#include "byte_order.h"

namespace sluice::data_channel {

// Payload protocol identifiers (RFC 8831 section 8). SCTP has no empty messages: the identifiers
// `..._empty` mark a message of one zero byte that stands for an empty one (section 6.6).
enum class PayloadProtocol : std::uint32_t {
  dcep = 50,
  string = 51,
  binary = 53,
  string_empty = 56,
  binary_empty = 57,
};
// Empty: not of a user's message.
std::optional<MessageType> message_type(PayloadProtocol protocol);
PayloadProtocol payload_protocol(MessageType type, bool empty);
constexpr bool stands_for_empty(PayloadProtocol protocol) {
  return protocol == PayloadProtocol::string_empty || protocol == PayloadProtocol::binary_empty;
}

// Bytes of the largest DATA_CHANNEL_OPEN that is accepted.
inline constexpr std::size_t kMaxChannelOpen = 12 + 2 * kMaxChannelName;

// Empty when `message` is not exactly one DATA_CHANNEL_OPEN of a known channel type, or has names
// above kMaxChannelName.
std::optional<ChannelOptions> read_channel_open(Bytes message);
// Precondition: the options are valid.
Buffer write_channel_open(const ChannelOptions& options);
[[nodiscard]] bool is_channel_ack(Bytes message);
Buffer write_channel_ack();

}  // namespace sluice::data_channel
