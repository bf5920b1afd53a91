// Which records an ACK will name (RFC 9147 section 7).
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "message/ack.h"

namespace sluice::dtls::flight {

// Handshake records of the peer's present flight. When there are more than an ACK is worth, the
// newest count.
class ReceivedRecords {
 public:
  static constexpr std::size_t kMax = 32;

  void add(const message::RecordNumber& number) {
    if (numbers_.size() == kMax) numbers_.erase(numbers_.begin());
    numbers_.push_back(number);
  }
  void clear() { numbers_.clear(); }

  // In the order of RFC 9147 section 7, which wants them ascending.
  std::span<const message::RecordNumber> sorted() {
    std::ranges::sort(numbers_);
    return numbers_;
  }

 private:
  std::vector<message::RecordNumber> numbers_;
};

}  // namespace sluice::dtls::flight
