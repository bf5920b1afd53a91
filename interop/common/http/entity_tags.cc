#include "common/http/entity_tags.h"

#include <algorithm>
#include <cstddef>

namespace sluice::interop {
namespace {

// Optional whitespace, and the empty elements that a list may have (RFC 9110 section 5.6.1.2).
void skip(std::string_view& text, std::string_view characters) {
  text.remove_prefix(std::min(text.find_first_not_of(characters), text.size()));
}

bool is_opaque(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    const auto code = static_cast<unsigned char>(c);
    return code > ' ' && code != '"' && code != 0x7f;
  });
}

}  // namespace

std::optional<IfMatch> parse_if_match(std::string_view value) {
  IfMatch result;
  skip(value, " \t");
  if (value.substr(0, value.find_last_not_of(" \t") + 1) == "*") return IfMatch{.is_any = true};
  bool has_element = false;
  for (skip(value, " \t,"); !value.empty(); skip(value, " \t,")) {
    const bool is_weak = value.starts_with("W/");
    if (is_weak) value.remove_prefix(2);
    const std::size_t end = value.starts_with('"') ? value.find('"', 1) : std::string_view::npos;
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view opaque = value.substr(1, end - 1);
    value.remove_prefix(end + 1);
    skip(value, " \t");
    if (!is_opaque(opaque) || (!value.empty() && !value.starts_with(','))) return std::nullopt;
    has_element = true;
    if (opaque == "*") result.is_any = true;
    if (!is_weak) result.tags.emplace_back(opaque);
  }
  if (!has_element) return std::nullopt;
  return result;
}

}  // namespace sluice::interop
