// Where the datagrams of the server leave: its socket, or a test.
#pragma once

#include <cstddef>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/path.h>

namespace sluice::interop::sfu {

// An ice_lite::DatagramBatch.
class Outlet {
 public:
  virtual ~Outlet() = default;
  // Room for a datagram of up to `size` bytes, valid until commit(). Empty: there is none.
  virtual dtls::MutableBytes room(std::size_t size) = 0;
  // The first `size` bytes of the last room() are a datagram for this path.
  virtual void commit(std::size_t size, const dtls::UdpPath& path) = 0;
};

}  // namespace sluice::interop::sfu
