// A first-in, first-out queue whose memory is used again.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace sluice::ice_lite {

// The memory stays as large as it has ever been.
template <class Item>
class Queue {
 public:
  [[nodiscard]] bool empty() const { return first_ == items_.size(); }
  [[nodiscard]] std::size_t size() const { return items_.size() - first_; }
  // Not to be called when empty().
  [[nodiscard]] Item& front() { return items_[first_]; }

  void push(Item item) {
    // What was taken makes room before more is allocated.
    if (first_ > 0 && items_.size() == items_.capacity()) {
      items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(first_));
      first_ = 0;
    }
    items_.push_back(std::move(item));
  }
  // Not to be called when empty().
  void pop() {
    if (++first_ == items_.size()) clear();
  }
  void clear() {
    items_.clear();
    first_ = 0;
  }
  // All that wait and for which `is_gone` is true.
  template <class Predicate>
  void erase_if(Predicate is_gone) {
    const auto waiting = items_.begin() + static_cast<std::ptrdiff_t>(first_);
    items_.erase(std::remove_if(waiting, items_.end(), is_gone), items_.end());
    if (empty()) clear();
  }

 private:
  std::vector<Item> items_;
  std::size_t first_ = 0;
};

}  // namespace sluice::ice_lite
