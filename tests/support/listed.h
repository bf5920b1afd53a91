// The items of any range, for GoogleTest's matchers.
#pragma once

#include <type_traits>
#include <vector>

namespace sluice::test {

template <class Range>
auto listed(const Range& range) {
  std::vector<std::remove_cvref_t<decltype(*range.begin())>> items;
  for (const auto& item : range) items.push_back(item);
  return items;
}

}  // namespace sluice::test
