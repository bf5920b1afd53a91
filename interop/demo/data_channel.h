// Data channel messages: payload protocol identifiers (RFC 8831) and DCEP (RFC 8832).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "demo/byte_order.h"

namespace sluice::interop::demo {

// RFC 8831 section 8. SCTP can't carry empty messages, hence two names for one zero byte.
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
  std::uint32_t limit = 0;  // retransmissions, or milliseconds
};

// DATA_CHANNEL_OPEN.
struct ChannelOpen {
  Reliability reliability;
  std::uint16_t priority = 0;
  std::string label;
  std::string protocol;
};

// Longer labels and protocols than anyone reads; both are kept as long as the channel is open.
inline constexpr std::size_t kMaxChannelName = 1024;

// Empty when `message` is not exactly one DATA_CHANNEL_OPEN of a known channel type.
std::optional<ChannelOpen> read_channel_open(Bytes message);
Buffer write_channel_open(const ChannelOpen& open);
[[nodiscard]] bool is_channel_ack(Bytes message);
Buffer write_channel_ack();

}  // namespace sluice::interop::demo
