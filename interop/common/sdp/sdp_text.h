// What values of SDP attributes are made of.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <optional>
#include <string_view>
#include <system_error>
#include <vector>

namespace sluice::interop {

// Removes and returns the text before the first `separator`, or all of it if there is none.
inline std::string_view take(std::string_view& text, char separator) {
  const auto end = text.find(separator);
  const std::string_view head = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  return head;
}

inline std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> result;
  while (!text.empty()) {
    if (const auto word = take(text, ' '); !word.empty()) result.push_back(word);
  }
  return result;
}

template <class Number>
std::optional<Number> number(std::string_view text) {
  Number value{};
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// RFC 8839 section 5.4: ALPHA / DIGIT / "+" / "/". Some peers write other kinds of Base64. No other
// character can reach a STUN username.
inline bool is_ice_string(std::string_view text, std::size_t shortest) {
  constexpr std::size_t kLongest = 256;
  return text.size() >= shortest && text.size() <= kLongest &&
         std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  std::string_view{"+/-_=#"}.find(c) != std::string_view::npos;
         });
}
inline constexpr std::size_t kShortestUfrag = 4;
inline constexpr std::size_t kShortestPwd = 22;

// RFC 8866 section 9: printable characters without those that separate.
constexpr bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return c > ' ' && c < '\x7f' &&
           std::string_view{"\"(),/:;<=>?@[\\]"}.find(c) == std::string_view::npos;
  });
}

}  // namespace sluice::interop
