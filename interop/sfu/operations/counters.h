// What the server counts.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "sfu/data/data_counters.h"
#include "sfu/forwarding/media_counters.h"

namespace sluice::interop::sfu {

// Why a session was not made.
enum class Refusal : std::uint8_t {
  offer,                // it can't be answered
  no_publisher,         // the room has none
  no_common_codec,      // the viewer has none of those that are published
  too_many_rooms,       // the limits of RoomLimits and SfuOptions
  too_many_publishers,  // of the room
  too_many_viewers,     // of the room
  too_many_sessions,
  too_many_of_address,
  failed,          // the transport can't be made
  node_loop,       // of a cluster: the stream comes over the node that asks, or over too many
  too_many_nodes,  // of a cluster, that pull one stream
};
inline constexpr std::array<std::string_view, 11> kRefusalNames = {"offer",
                                                                   "no_publisher",
                                                                   "no_common_codec",
                                                                   "too_many_rooms",
                                                                   "too_many_publishers",
                                                                   "too_many_viewers",
                                                                   "too_many_sessions",
                                                                   "too_many_of_address",
                                                                   "failed",
                                                                   "node_loop",
                                                                   "too_many_nodes"};

// Why a session has ended.
enum class End : std::uint8_t {
  deleted,         // by DELETE
  closed_by_peer,  // by its close_notify
  failed,          // DTLS has
  expired,         // the peer's consent has (RFC 7675)
  not_connected,   // in time
  silent,          // a publisher that sends nothing
  room_ended,      // its room has no publisher any more
  stopped,         // the server ends
};
inline constexpr std::array<std::string_view, 8> kEndNames = {
    "deleted",       "closed_by_peer", "failed",     "expired",
    "not_connected", "silent",         "room_ended", "stopped"};

struct Counters : MediaCounters {
  std::uint64_t publishers = 0;  // made
  std::uint64_t viewers = 0;
  std::uint64_t rooms = 0;
  std::uint64_t pulled = 0;          // publishers of other nodes
  std::uint64_t counter_offers = 0;  // made
  std::array<std::uint64_t, kRefusalNames.size()> refused = {};
  std::array<std::uint64_t, kEndNames.size()> ended = {};
  std::uint64_t ice_restarts = 0;  // answered
  std::uint64_t ice_refused = 0;   // PATCH
  DataCounters data;

  void count(Refusal why) { ++refused[static_cast<std::size_t>(why)]; }
  void count(End why) { ++ended[static_cast<std::size_t>(why)]; }
};

}  // namespace sluice::interop::sfu
