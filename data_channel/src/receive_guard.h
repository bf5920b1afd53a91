// Holds a peer to the receive window.
#pragma once

#include <cstddef>
#include <cstdint>

#include "byte_order.h"

namespace sluice::data_channel {

// usrsctp drops data beyond its window, but not where it fills a gap before data that it has: some
// 4,000 TSNs, of up to 16 kB each in a large DTLS record. A peer that keeps to the window sends no
// more of that than fits into it; this class drops the rest.
class ReceiveGuard {
 public:
  explicit ReceiveGuard(std::size_t window) : limit_(window) {}

  // Reads the SACK in an own packet, if there is one (RFC 9260 section 3.3.4).
  void on_sent(Bytes packet);
  // False: the packet is to be dropped. Its sender sends it again.
  bool admits(Bytes packet);

 private:
  std::size_t limit_;
  std::size_t excess_ = 0;  // bytes taken beyond the window while there are gaps
  // Of the last SACK. usrsctp tells every packet that leaves a gap at once.
  bool has_gaps_ = false;
  std::uint32_t window_ = 0;
};

}  // namespace sluice::data_channel
