// Range-for over items that are found one after the other.
#pragma once

#include <cstddef>
#include <iterator>
#include <optional>
#include <utility>

namespace sluice::rtp {

// An input iterator over what Cursor::next() returns until it is empty; its end is
// std::default_sentinel.
template <class Cursor>
class Walk {
 public:
  // NOLINTBEGIN(readability-identifier-naming): the standard names them so.
  using difference_type = std::ptrdiff_t;
  using value_type = typename decltype(std::declval<Cursor&>().next())::value_type;
  // NOLINTEND(readability-identifier-naming)

  explicit Walk(Cursor cursor) : cursor_(std::move(cursor)), item_(cursor_.next()) {}
  const value_type& operator*() const { return *item_; }
  const value_type* operator->() const { return &*item_; }
  Walk& operator++() {
    item_ = cursor_.next();
    return *this;
  }
  void operator++(int) { ++*this; }
  friend bool operator==(const Walk& walk, std::default_sentinel_t /*end*/) { return !walk.item_; }

 private:
  Cursor cursor_;
  std::optional<value_type> item_;
};

// Whether two ranges of that kind hold the same items.
template <class Range>
bool equal_items(const Range& a, const Range& b) {
  auto left = a.begin();
  auto right = b.begin();
  for (; left != std::default_sentinel && right != std::default_sentinel; ++left, ++right) {
    if (!(*left == *right)) return false;
  }
  return left == std::default_sentinel && right == std::default_sentinel;
}

}  // namespace sluice::rtp
