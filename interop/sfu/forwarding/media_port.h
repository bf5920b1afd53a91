// What is forwarded by: the server of all sessions, and the way out.
#pragma once

#include <cstddef>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/path.h>
#include <sluice/ice_lite/ice_lite_server.h>

#include "common/media_clock.h"
#include "sfu/forwarding/media_counters.h"

namespace sluice::interop::sfu {

using common::media_time;

// Where the datagrams of the server leave: its socket, or a test. An ice_lite::DatagramBatch.
class Outlet {
 public:
  virtual ~Outlet() = default;
  // Room for a datagram of up to `size` bytes, valid until commit(). Empty: there is none.
  virtual dtls::MutableBytes room(std::size_t size) = 0;
  // The first `size` bytes of the last room() are a datagram for this path.
  virtual void commit(std::size_t size, const dtls::UdpPath& path) = 0;
};

// References: everything in it outlives what uses it.
struct MediaPort {
  ice_lite::IceLiteServer& server;
  Outlet& outlet;
  MediaCounters& counters;
};

}  // namespace sluice::interop::sfu
