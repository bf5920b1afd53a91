#include "demo/data_channel.h"

#include <span>

namespace sluice::interop::demo {
namespace {

constexpr std::uint8_t kOpenType = 0x03;
constexpr std::uint8_t kAckType = 0x02;
constexpr std::size_t kOpenHeader = 12;
constexpr std::uint8_t kUnorderedBit = 0x80;

std::string text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

bool is_user_message(PayloadProtocol protocol) {
  switch (protocol) {
    case PayloadProtocol::string:
    case PayloadProtocol::binary:
    case PayloadProtocol::string_empty:
    case PayloadProtocol::binary_empty:
      return true;
    case PayloadProtocol::dcep:
      return false;
  }
  return false;
}

std::optional<ChannelOpen> read_channel_open(Bytes message) {
  if (message.size() < kOpenHeader || load_u8(message, 0) != kOpenType) return std::nullopt;
  const auto type = load_u8(message, 1);
  const auto policy = static_cast<std::uint8_t>(type & ~kUnorderedBit);
  const std::size_t label_size = load_u16(message, 8);
  const std::size_t protocol_size = load_u16(message, 10);
  if (policy > static_cast<std::uint8_t>(Reliability::Policy::max_lifetime) ||
      label_size > kMaxChannelName || protocol_size > kMaxChannelName ||
      message.size() != kOpenHeader + label_size + protocol_size) {
    return std::nullopt;
  }
  return ChannelOpen{.reliability = {.ordered = (type & kUnorderedBit) == 0,
                                     .policy = Reliability::Policy{policy},
                                     .limit = load_u32(message, 4)},
                     .priority = load_u16(message, 2),
                     .label = text(message.subspan(kOpenHeader, label_size)),
                     .protocol = text(message.subspan(kOpenHeader + label_size, protocol_size))};
}

Buffer write_channel_open(const ChannelOpen& open) {
  Buffer message;
  append_u8(message, kOpenType);
  append_u8(message, static_cast<std::uint8_t>(static_cast<std::uint8_t>(open.reliability.policy) |
                                               (open.reliability.ordered ? 0 : kUnorderedBit)));
  append_u16(message, open.priority);
  append_u32(message, open.reliability.limit);
  append_u16(message, static_cast<std::uint16_t>(open.label.size()));
  append_u16(message, static_cast<std::uint16_t>(open.protocol.size()));
  append(message, std::as_bytes(std::span{open.label}));
  append(message, std::as_bytes(std::span{open.protocol}));
  return message;
}

bool is_channel_ack(Bytes message) {
  return message.size() == 1 && load_u8(message, 0) == kAckType;
}

Buffer write_channel_ack() { return {std::byte{kAckType}}; }

}  // namespace sluice::interop::demo
