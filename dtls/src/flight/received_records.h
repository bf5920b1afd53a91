// The records that an ACK will name (RFC 9147 section 7).
#pragma once

#include <algorithm>
#include <cstddef>

#include "message/ack.h"

namespace sluice::dtls::flight {

// The handshake records of the peer's present flight. When there are more than an ACK names, the
// oldest are dropped.
class ReceivedRecords {
 public:
  static constexpr std::size_t kMax = 32;

  void add(const message::RecordNumber& number) {
    // A plaintext datagram that arrives twice has the same number twice.
    if (std::ranges::find(numbers_, number) != numbers_.end()) return;
    if (numbers_.size() == kMax) numbers_.erase(numbers_.begin());
    numbers_.push_back(number);
  }
  void clear() { numbers_.clear(); }

  // The newest, at most `limit`, in ascending order, which RFC 9147 section 7 wants.
  [[nodiscard]] message::RecordNumbers newest(std::size_t limit) const {
    const std::size_t size = std::min(limit, numbers_.size());
    message::RecordNumbers newest(numbers_.end() - static_cast<std::ptrdiff_t>(size),
                                  numbers_.end());
    std::ranges::sort(newest);
    return newest;
  }

 private:
  message::RecordNumbers numbers_;  // in the order of their arrival
};

}  // namespace sluice::dtls::flight
