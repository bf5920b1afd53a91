// Character classes of ICE's attributes in SDP, independent of the locale.
#pragma once

#include <algorithm>
#include <string_view>

namespace sluice::nice {

constexpr bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

// RFC 8839 section 5.1: ice-char = ALPHA / DIGIT / "+" / "/".
constexpr bool is_ice_text(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return is_alphanumeric(c) || c == '+' || c == '/'; });
}

// Of a ufrag or password. RFC 8839 section 5.4 has ice-chars; peers that write Base64 use these as
// well. None of them has a meaning in an SDP attribute, or in STUN's USERNAME as ":" has.
constexpr bool is_credential_text(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return is_ice_text({&c, 1}) || c == '-' || c == '_' || c == '=' || c == '#';
  });
}

constexpr char lower_case(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

constexpr bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower_case(x) == lower_case(y); });
}

}  // namespace sluice::nice
