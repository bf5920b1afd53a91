// Finds a code point that occurs twice in a list.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>

namespace sluice::dtls::wire {

// The code points of a list in which each may occur once, at most `Most` of them. The check sorts
// them: a peer chooses the list, so the work must not grow with the square of its length.
template <class Code, std::size_t Most>
class DistinctCodes {
 public:
  // False when there are more than Most.
  [[nodiscard]] bool add(Code code) {
    if (size_ == Most) return false;
    codes_[size_++] = code;
    return true;
  }
  // Whether each occurs once. Changes their order.
  [[nodiscard]] bool are_distinct() {
    const auto codes = std::span(codes_).first(size_);
    std::ranges::sort(codes);
    return std::ranges::adjacent_find(codes) == codes.end();
  }

 private:
  std::array<Code, Most> codes_{};
  std::size_t size_ = 0;
};

}  // namespace sluice::dtls::wire
