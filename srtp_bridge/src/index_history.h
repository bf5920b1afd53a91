// Which indices of an SSRC have been used up to the highest, as a session that moves keeps them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include <sluice/dtls/bytes.h>

namespace sluice::srtp {

class IndexHistory {
 public:
  // None has been used.
  IndexHistory() = default;
  // All up to `highest` count as used.
  explicit IndexHistory(std::optional<std::uint64_t> highest) : highest_(highest) {}
  // `older` has a bit for each index below the highest, the nearest first, the lowest bit of a byte
  // first: 1 means used. All behind them are used.
  IndexHistory(std::uint64_t highest, dtls::Buffer older);
  // Asks `is_used` about the indices that are less than `window` below the highest.
  template <class IsUsed>
  static IndexHistory of(std::uint64_t highest, std::size_t window, IsUsed is_used);

  [[nodiscard]] std::optional<std::uint64_t> highest() const { return highest_; }
  [[nodiscard]] bool contains(std::uint64_t index) const {
    if (!highest_ || index > *highest_) return false;
    return index == *highest_ || older_ == nullptr || is_older_used(*highest_ - index - 1);
  }
  // As in the constructor: without trailing bytes of ones, which include what is below index 0.
  [[nodiscard]] dtls::Bytes older() const { return older_ ? dtls::Bytes(*older_) : dtls::Bytes(); }

 private:
  [[nodiscard]] bool is_older_used(std::uint64_t place) const;

  std::optional<std::uint64_t> highest_ = {};
  std::unique_ptr<const dtls::Buffer> older_ = {};  // null: all are used
};

template <class IsUsed>
IndexHistory IndexHistory::of(std::uint64_t highest, std::size_t window, IsUsed is_used) {
  constexpr std::size_t kBits = 8;
  const auto count =
      static_cast<std::size_t>(std::uint64_t{window} - 1 < highest ? window - 1 : highest);
  dtls::Buffer older((count + kBits - 1) / kBits, std::byte{0xff});
  for (std::size_t place = 0; place < count; ++place) {
    if (!is_used(highest - 1 - place)) older[place / kBits] &= ~(std::byte{1} << place % kBits);
  }
  return {highest, std::move(older)};
}

}  // namespace sluice::srtp
