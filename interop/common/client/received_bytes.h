// How much a connection of TCP has brought, as the kernel counts it.
#pragma once

#include <cstdint>
#include <mutex>

#include <sluice/udp/descriptor.h>

namespace sluice::interop {

// For any thread. Before watch() it counts 0.
class ReceivedBytes {
 public:
  // Of this socket from now on, which may be closed meanwhile.
  void watch(int socket);
  // All bytes of TCP, with those of TLS.
  [[nodiscard]] std::uint64_t count() const;

 private:
  mutable std::mutex mutex_;
  udp::Descriptor socket_;  // a duplicate, since the number of a closed one may have another use
};

}  // namespace sluice::interop
