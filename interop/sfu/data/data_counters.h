// What the server counts of data channels.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <sluice/data_channel/statistics.h>

namespace sluice::interop::sfu {

enum class DataDrop : std::uint8_t {
  // ---- a message, for all
  session_rate,    // above DataLimits::messages_per_second
  room_rate,       // above DataLimits::room_packets_per_second
  server_rate,     // above DataLimits::server_packets_per_second
  closed_channel,  // on a channel that was refused or is being closed
  // ---- a message, for one receiver
  slow_receiver,           // as much waits for it as may
  no_channel,              // the server can't open one: kMaxDataChannels
  too_large_for_receiver,  // above its a=max-message-size
  // ---- a channel, which is closed
  too_many_channels,  // above kMaxDataChannels
  long_label,         // above kMaxDataLabel
  // ---- a packet
  malformed,    // no SCTP between the agreed ports
  not_offered,  // of a session without a data section
  ended,        // after the association's end
  not_sent,     // the socket has no room, or DTLS refuses; SCTP sends it again
  // ---- a message, for all receivers of another worker
  worker_busy,  // its MessageBox is full
};
inline constexpr std::array<std::string_view, 14> kDataDropNames = {"session_rate",
                                                                    "room_rate",
                                                                    "server_rate",
                                                                    "closed_channel",
                                                                    "slow_receiver",
                                                                    "no_channel",
                                                                    "too_large_for_receiver",
                                                                    "too_many_channels",
                                                                    "long_label",
                                                                    "malformed",
                                                                    "not_offered",
                                                                    "ended",
                                                                    "not_sent",
                                                                    "worker_busy"};

struct DataCounters {
  std::uint64_t received = 0;  // messages of peers
  std::uint64_t relayed = 0;   // of them those that went to the room
  std::uint64_t sent = 0;      // messages to receivers
  std::array<std::uint64_t, kDataDropNames.size()> dropped = {};
  // As data_channel::Drop, of associations that have ended; those of others are in their session.
  std::array<std::uint64_t, data_channel::kDropReasons> dropped_by_associations = {};

  void count(DataDrop why) { ++dropped[static_cast<std::size_t>(why)]; }
  [[nodiscard]] std::uint64_t operator[](DataDrop why) const {
    return dropped[static_cast<std::size_t>(why)];
  }
};

}  // namespace sluice::interop::sfu
