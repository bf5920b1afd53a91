// Tells whether a check was seen before.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <sluice/stun/message.h>

namespace sluice::ice_lite {

// STUN has no protection against replays (RFC 8489 section 16.1.3). The peer chooses transaction
// IDs at random, so 32 bits of each of the last ones tell nearly all repetitions, and one in a
// hundred million new checks is taken for a repetition.
class RecentChecks {
 public:
  // Of one tuple: at 2.5 s between checks, as libwebrtc sends them, the last 80 s.
  static constexpr std::size_t kMost = 32;

  [[nodiscard]] bool contain(const stun::TransactionId& transaction) const {
    const std::uint32_t part = part_of(transaction);
    return std::find(parts_.begin(), parts_.begin() + count_, part) != parts_.begin() + count_;
  }
  // Whether it is the one that add() was called with last.
  [[nodiscard]] bool is_newest(const stun::TransactionId& transaction) const {
    return count_ > 0 && parts_[(next_ + kMost - 1) % kMost] == part_of(transaction);
  }
  void add(const stun::TransactionId& transaction) { add_part(part_of(transaction)); }
  void add_part(std::uint32_t part) {
    parts_[next_] = part;
    next_ = static_cast<std::uint8_t>((next_ + 1) % kMost);
    count_ = std::max<std::uint8_t>(count_, next_ == 0 ? kMost : next_);
  }

  // What is kept, the oldest first; add_part() in this order makes the same.
  [[nodiscard]] std::vector<std::uint32_t> parts() const {
    std::vector<std::uint32_t> parts(parts_.begin(), parts_.begin() + count_);
    if (count_ == kMost) std::ranges::rotate(parts, parts.begin() + next_);
    return parts;
  }

 private:
  static std::uint32_t part_of(const stun::TransactionId& transaction) {
    std::uint32_t part = 0;
    for (const std::byte byte : std::span(transaction).last<sizeof part>()) {
      part = part << 8 | std::to_integer<std::uint32_t>(byte);
    }
    return part;
  }

  std::array<std::uint32_t, kMost> parts_{};
  std::uint8_t next_ = 0;
  std::uint8_t count_ = 0;
};

}  // namespace sluice::ice_lite
