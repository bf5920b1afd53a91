// What an Endpoint keeps beside each connection.
#pragma once

#include <optional>

#include <sluice/dtls/endpoint.h>

#include "endpoint/slot_index.h"

namespace sluice::dtls::endpoint {

// A slot's neighbours in a SlotList.
struct Links {
  // In `next`: in no list.
  static constexpr SlotNumber kApart = kNoSlot - 1;

  SlotNumber previous = kNoSlot;
  SlotNumber next = kApart;
};

struct Slot {
  // Empty: nobody's, or ended with nothing left to be sent.
  std::optional<Connection> connection;
  UdpPath path;
  std::uint32_t generation = 0;
  bool is_used = false;
  bool is_connected = false;
  // Of a peer that begins anew: `rival` is the connected one. Datagrams are found by that.
  bool is_challenger = false;
  bool end_reported = false;
  std::optional<EndReason> end;
  SlotNumber rival = kNoSlot;
  // The end of the ClientHello's random, for hellos that come again; 0 for a client.
  std::uint32_t hello = 0;
  Instant begun;

  Links half_open;
  Links events;
  Links transmits;

  [[nodiscard]] bool is_alive() const { return is_used && !end; }
};

}  // namespace sluice::dtls::endpoint
