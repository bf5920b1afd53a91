// Characters of header fields (RFC 9110 section 5.6).
#pragma once

#include <string_view>

#include "common/letter_case.h"

namespace sluice::interop {

constexpr bool is_field_space(char letter) { return letter == ' ' || letter == '\t'; }
constexpr bool is_digit(char letter) { return letter >= '0' && letter <= '9'; }
// Section 5.6.2.
constexpr bool is_token_letter(char letter) {
  constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  const char low = lower(letter);
  return (low >= 'a' && low <= 'z') || is_digit(letter) ||
         kOthers.find(letter) != std::string_view::npos;
}

}  // namespace sluice::interop
