// Entity tags in conditional requests (RFC 9110 sections 8.8.3 and 13.1).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::interop {

struct IfMatch {
  bool is_any = false;  // *
  // Without their quotes. Weak ones are left out: If-Match compares strongly, so they match
  // nothing.
  std::vector<std::string> tags = {};
};

// The value of an If-Match field. Empty: it is malformed. "*" in quotes is taken for *, since RFC
// 9725 has it so in its example of an ICE restart.
std::optional<IfMatch> parse_if_match(std::string_view value);

// For an ETag field: a strong tag.
inline std::string entity_tag(std::string_view opaque) { return "\"" + std::string{opaque} + "\""; }

}  // namespace sluice::interop
