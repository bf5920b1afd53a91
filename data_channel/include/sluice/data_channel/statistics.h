// Counters of an association.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <sluice/dtls/clock.h>

namespace sluice::data_channel {

// Why something was dropped, in either direction.
enum class Drop : std::uint8_t {
  message_too_large,  // received: above Options::max_message_size
  unknown_protocol,   // received: a payload protocol identifier that RFC 8831 has not
  unknown_channel,    // received: a message on a stream without a channel, which is then closed
  refused_open,       // received: a malformed DATA_CHANNEL_OPEN, or one for a stream in use
  expired,            // to be sent: max_lifetime passed while it waited
  channel_closed,     // to be sent: it waited when the peer closed the channel
  not_sent,           // to be sent: SCTP has refused it
  packets_full,       // SCTP packets that were not polled; SCTP sends them again
  packet_too_large,   // SCTP packets above Options::mtu: answers that repeat an INIT or an error
  early_full,         // received: SCTP packets before start(), beyond 32 or 16 kB
  window_exceeded,    // received: SCTP packets with more data than the receive window has room for
};
inline constexpr std::size_t kDropReasons = 11;

std::string_view to_string(Drop reason);

struct Statistics {
  std::uint64_t packets_sent = 0;  // SCTP packets, by poll_transmit()
  std::uint64_t packets_received = 0;
  std::uint64_t bytes_sent = 0;  // of those packets
  std::uint64_t bytes_received = 0;
  std::uint64_t messages_sent = 0;  // of users, that SCTP has taken
  std::uint64_t messages_received = 0;
  std::uint64_t message_bytes_sent = 0;
  std::uint64_t message_bytes_received = 0;
  std::uint32_t channels_opened = 0;  // by either side
  std::uint32_t channels_closed = 0;
  std::array<std::uint64_t, kDropReasons> dropped = {};
  // Of SCTP, while the association is established.
  std::optional<dtls::Duration> rtt = {};  // smoothed; empty: not known yet
  std::uint32_t congestion_window = 0;     // bytes
  std::uint32_t peer_window = 0;           // bytes that the peer can take

  [[nodiscard]] std::uint64_t count(Drop reason) const {
    return dropped[static_cast<std::size_t>(reason)];
  }
};

}  // namespace sluice::data_channel
