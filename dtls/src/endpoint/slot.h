// The data that an Endpoint stores for each connection.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include <sluice/dtls/endpoint.h>

#include "endpoint/tables.h"

namespace sluice::dtls::endpoint {

// A slot's neighbours in a SlotList. No slot is in two lists.
struct Links {
  // The value of `next` in a slot that is in no list.
  static constexpr SlotNumber kApart = kNoSlot - 1;

  SlotNumber previous = kNoSlot;
  SlotNumber next = kApart;
};

// The queues of an Endpoint that a slot may be in.
enum class QueueOf : std::uint8_t { events, transmits };
inline constexpr std::size_t kSlotQueues = 2;

// Where the slot is listed and queued.
struct Places {
  // In the list of handshakes of peers by age or, when connected, in that of connections of peers
  // by the time of their last record.
  Links links;
  std::array<bool, kSlotQueues> is_queued = {};
};

struct Times {
  Instant begun;
  Instant heard;  // the last authenticated record of the peer, to a second
};

struct Slot {
  // Empty: the slot is free, or the connection has ended and has nothing left to send.
  std::optional<Connection> connection;
  StoredPath path;  // the present one; OtherPaths has the others
  std::uint32_t generation = 0;
  bool is_used = false;
  bool is_connected = false;
  // The peer of a connected association begins another one at the same path (RFC 9147 section
  // 5.11). While both exist, each has the other for its `other_association`, and the index of paths
  // has the connected one only.
  bool is_new_association = false;
  bool end_reported = false;
  SlotNumber other_association = kNoSlot;
  // Of the ClientHello that has begun the association, which tells repetitions; 0 where this side
  // is client.
  CookieNumber cookie{};
  [[no_unique_address]] Places places;  // the next member begins in its padding
  std::optional<EndReason> end;
  Times times;

  [[nodiscard]] bool is_alive() const { return is_used && !end; }
  // Whether a peer has begun this handshake, and it is not complete, or the peer is not accepted.
  [[nodiscard]] bool is_half_open() const {
    return !is_connected && connection && connection->role() == Role::server;
  }
};

}  // namespace sluice::dtls::endpoint
