// Which numbers of a stream have come, as far as one can still be late.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>

namespace sluice::interop::load {

enum class Coming : std::uint8_t {
  next,       // the largest so far
  late,       // one that was missing
  duplicate,  // it was there already
  too_late,   // before the first, or too old for the window
};

class NumberWindow {
 public:
  static constexpr std::uint64_t kSize = 2048;

  // The stream begins with `first`; what came before does not count.
  explicit NumberWindow(std::uint64_t first) : first_(first), next_(first) {}

  Coming add(std::uint64_t number) {
    if (number >= next_) {
      // Those in between have not come.
      if (number - next_ >= kSize) came_.reset();
      for (; next_ < number && number - next_ < kSize; ++next_) came_[next_ % kSize] = false;
      next_ = number + 1;
      came_[number % kSize] = true;
      ++received_;
      return Coming::next;
    }
    if (number < first_ || next_ - number > kSize) return Coming::too_late;
    if (came_[number % kSize]) return Coming::duplicate;
    came_[number % kSize] = true;
    ++received_;
    return Coming::late;
  }

  [[nodiscard]] std::uint64_t received() const { return received_; }
  // Of all up to the largest.
  [[nodiscard]] std::uint64_t lost() const { return next_ - first_ - received_; }
  // The same of `sent` numbers, as far as the sender has come.
  [[nodiscard]] std::uint64_t lost_of(std::uint64_t sent) const {
    return (sent > next_ ? sent : next_) - first_ - received_;
  }

 private:
  std::uint64_t first_;
  std::uint64_t next_;  // after the largest
  std::uint64_t received_ = 0;
  std::bitset<kSize> came_;  // by number
};

}  // namespace sluice::interop::load
