// Parts of the values of SDP attributes.
#pragma once

#include <string_view>

namespace sluice::interop {

// Removes and returns the text before the first `separator`, or all of it if there is none.
inline std::string_view take(std::string_view& text, char separator) {
  const auto end = text.find(separator);
  const std::string_view head = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  return head;
}

}  // namespace sluice::interop
