// One TCP connection of a Listener.
#pragma once

#include <cstdint>

#include <sluice/dtls/clock.h>
#include <sluice/dtls/path.h>
#include <sluice/tcp/framing.h>
#include <sluice/udp/descriptor.h>

#include "send_queue.h"
#include "table/slot_index.h"

namespace sluice::tcp {

using dtls::table::kNoSlot;
using dtls::table::SlotNumber;

struct Connection {
  std::uint32_t generation = 0;  // of the slot
  udp::Descriptor descriptor;    // open as long as the slot is in use
  dtls::UdpPath path;
  Deframer deframer = Deframer(kMaxFrame);
  SendQueue queue;
  dtls::Instant since{};          // accepted, or the last confirm()
  SlotNumber previous = kNoSlot;  // in its ConnectionList
  SlotNumber next = kNoSlot;
  bool is_confirmed = false;
  bool waits_for_room = false;  // epoll tells when the kernel has room again
};

// What ListenerOptions says of the memory of a connection.
static_assert(sizeof(Connection) <= 320);

// Connections in the order in which they were added, by their slots in a `Slots`.
class ConnectionList {
 public:
  [[nodiscard]] SlotNumber first() const { return first_; }

  template <class Slots>
  void add(Slots& slots, SlotNumber number) {
    slots[number].previous = last_;
    slots[number].next = kNoSlot;
    (last_ != kNoSlot ? slots[last_].next : first_) = number;
    last_ = number;
  }
  template <class Slots>
  void remove(Slots& slots, SlotNumber number) {
    const Connection& connection = slots[number];
    (connection.previous != kNoSlot ? slots[connection.previous].next : first_) = connection.next;
    (connection.next != kNoSlot ? slots[connection.next].previous : last_) = connection.previous;
  }

 private:
  SlotNumber first_ = kNoSlot;
  SlotNumber last_ = kNoSlot;
};

}  // namespace sluice::tcp
