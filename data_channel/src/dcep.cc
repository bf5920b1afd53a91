#include "dcep.h"

#include <span>
#include <string>

namespace sluice::data_channel {
namespace {

constexpr std::uint8_t kOpenType = 0x03;
constexpr std::uint8_t kAckType = 0x02;
constexpr std::size_t kOpenHeader = 12;

// RFC 8832 section 5.1: the lower seven bits of a channel type, and the highest.
constexpr std::uint8_t kReliable = 0;
constexpr std::uint8_t kMaxRetransmits = 1;
constexpr std::uint8_t kMaxLifetime = 2;
constexpr std::uint8_t kUnorderedBit = 0x80;

std::string text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

std::optional<MessageType> message_type(PayloadProtocol protocol) {
  switch (protocol) {
    case PayloadProtocol::string:
    case PayloadProtocol::string_empty:
      return MessageType::text;
    case PayloadProtocol::binary:
    case PayloadProtocol::binary_empty:
      return MessageType::binary;
    case PayloadProtocol::dcep:
      break;
  }
  return std::nullopt;
}

PayloadProtocol payload_protocol(MessageType type, bool empty) {
  if (type == MessageType::text) {
    return empty ? PayloadProtocol::string_empty : PayloadProtocol::string;
  }
  return empty ? PayloadProtocol::binary_empty : PayloadProtocol::binary;
}

std::optional<ChannelOptions> read_channel_open(Bytes message) {
  if (message.size() < kOpenHeader || load_u8(message, 0) != kOpenType) return std::nullopt;
  const auto type = load_u8(message, 1);
  const auto policy = static_cast<std::uint8_t>(type & ~kUnorderedBit);
  const std::uint32_t limit = load_u32(message, 4);
  const std::size_t label_size = load_u16(message, 8);
  const std::size_t protocol_size = load_u16(message, 10);
  if (policy > kMaxLifetime || label_size > kMaxChannelName || protocol_size > kMaxChannelName ||
      message.size() != kOpenHeader + label_size + protocol_size) {
    return std::nullopt;
  }
  ChannelOptions options{.label = text(message.subspan(kOpenHeader, label_size)),
                         .protocol = text(message.subspan(kOpenHeader + label_size)),
                         .ordered = (type & kUnorderedBit) == 0,
                         .priority = load_u16(message, 2)};
  if (policy == kMaxRetransmits) options.max_retransmits = limit;
  if (policy == kMaxLifetime) options.max_lifetime = std::chrono::milliseconds{limit};
  return options;
}

Buffer write_channel_open(const ChannelOptions& options) {
  std::uint8_t policy = kReliable;
  std::uint32_t limit = 0;
  if (options.max_retransmits) {
    policy = kMaxRetransmits;
    limit = *options.max_retransmits;
  } else if (options.max_lifetime) {
    policy = kMaxLifetime;
    limit = static_cast<std::uint32_t>(options.max_lifetime->count());
  }
  Buffer message;
  append_u8(message, kOpenType);
  append_u8(message, static_cast<std::uint8_t>(policy | (options.ordered ? 0 : kUnorderedBit)));
  append_u16(message, options.priority);
  append_u32(message, limit);
  append_u16(message, static_cast<std::uint16_t>(options.label.size()));
  append_u16(message, static_cast<std::uint16_t>(options.protocol.size()));
  append(message, std::as_bytes(std::span{options.label}));
  append(message, std::as_bytes(std::span{options.protocol}));
  return message;
}

bool is_channel_ack(Bytes message) {
  return message.size() == 1 && load_u8(message, 0) == kAckType;
}

Buffer write_channel_ack() { return {std::byte{kAckType}}; }

}  // namespace sluice::data_channel
