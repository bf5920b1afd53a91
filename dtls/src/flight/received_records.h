// The records that the next ACK lists (RFC 9147 section 7).
#pragma once

#include <algorithm>
#include <cstddef>

#include "message/ack.h"

namespace sluice::dtls::flight {

// The handshake records of the peer's present flight. When there are more than kMax, the oldest are
// dropped.
class ReceivedRecords {
 public:
  static constexpr std::size_t kMax = 32;
  static constexpr std::size_t kUsual = 4;  // flights with more records are rare

  void add(const message::RecordNumber& number) {
    // A duplicate of a plaintext datagram has the same record numbers.
    if (std::ranges::find(numbers_, number) != numbers_.end()) return;
    if (numbers_.size() == kMax) numbers_.erase(numbers_.begin());
    if (numbers_.empty()) numbers_.reserve(kUsual);
    numbers_.push_back(number);
  }
  void clear() { numbers_.clear(); }

  // The newest records, at most `limit`, in the ascending order that RFC 9147 section 7 asks for.
  [[nodiscard]] message::RecordNumbers newest(std::size_t limit) const {
    const std::size_t size = std::min(limit, numbers_.size());
    message::RecordNumbers newest(numbers_.end() - static_cast<std::ptrdiff_t>(size),
                                  numbers_.end());
    std::ranges::sort(newest);
    return newest;
  }

 private:
  message::RecordNumbers numbers_;  // in the order of arrival
};

}  // namespace sluice::dtls::flight
