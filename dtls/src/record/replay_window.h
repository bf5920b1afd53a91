// Anti-replay (RFC 6347 section 4.1.2.6).
#pragma once

#include <bitset>
#include <cstdint>

#include "wire/types.h"

namespace sluice::dtls::record {

// Which of the last kSize record numbers have been seen. Asked before a record is opened, and told
// only after it has proved authentic.
class ReplayWindow {
 public:
  // RFC 6347 asks for at least 32; a burst of media-sized data over several paths reorders further.
  static constexpr std::uint64_t kSize = 256;

  [[nodiscard]] bool is_fresh(wire::SequenceNumber sequence) const {
    const std::uint64_t number = wire::value_of(sequence);
    if (number >= end_) return true;
    const std::uint64_t age = end_ - 1 - number;
    return age < kSize && !seen_[age];
  }

  // One above the highest number seen: what is expected next.
  [[nodiscard]] std::uint64_t next() const { return end_; }

  void mark(wire::SequenceNumber sequence) {
    const std::uint64_t number = wire::value_of(sequence);
    if (number >= end_) {
      const std::uint64_t advance = number - end_ + 1;
      seen_ = advance < kSize ? seen_ << advance : std::bitset<kSize>();
      end_ = number + 1;
    }
    const std::uint64_t age = end_ - 1 - number;
    if (age < kSize) seen_.set(age);
  }

 private:
  std::uint64_t end_ = 0;    // one above the highest number seen
  std::bitset<kSize> seen_;  // bit i: end_ - 1 - i was seen
};

}  // namespace sluice::dtls::record
