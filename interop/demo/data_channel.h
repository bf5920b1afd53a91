// Data channel messages: payload protocol identifiers (RFC 8831) and DCEP (RFC 8832).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "demo/byte_order.h"

namespace sluice::interop::demo {

// Payload protocol identifiers (RFC 8831 section 8). SCTP has no empty messages: the identifiers
// `..._empty` mark a message of one zero byte that stands for an empty one (section 6.6).
enum class PayloadProtocol : std::uint32_t {
  dcep = 50,
  string = 51,
  binary = 53,
  string_empty = 56,
  binary_empty = 57,
};
[[nodiscard]] bool is_user_message(PayloadProtocol protocol);

// RFC 8832 section 5.1: how messages of a channel are delivered.
struct Reliability {
  enum class Policy : std::uint8_t { reliable, max_retransmits, max_lifetime };

  bool ordered = true;
  Policy policy = Policy::reliable;
  std::uint32_t limit = 0;  // number of retransmissions, or milliseconds
};

// DATA_CHANNEL_OPEN.
struct ChannelOpen {
  Reliability reliability;
  std::uint16_t priority = 0;
  std::string label;
  std::string protocol;
};

// Limit in bytes for a label and for a protocol name. RFC 8832 allows 65535; a DATA_CHANNEL_OPEN
// above the limit is refused.
inline constexpr std::size_t kMaxChannelName = 1024;

// Empty when `message` is not exactly one DATA_CHANNEL_OPEN of a known channel type.
std::optional<ChannelOpen> read_channel_open(Bytes message);
Buffer write_channel_open(const ChannelOpen& open);
[[nodiscard]] bool is_channel_ack(Bytes message);
Buffer write_channel_ack();

}  // namespace sluice::interop::demo
