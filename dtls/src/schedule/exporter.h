// Checks the arguments of exporters of all versions (RFC 5705 section 4).
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/error.h>

namespace sluice::dtls::schedule {

// Errors: invalid_argument.
inline Result<void> check_export(std::string_view label, std::optional<Bytes> context) {
  // The labels of RFC 5246 and RFC 7627.
  static constexpr std::array<std::string_view, 5> kReservedLabels{
      "client finished", "server finished", "master secret", "extended master secret",
      "key expansion"};
  static constexpr std::size_t kMaxContext = 65535;
  if (std::ranges::find(kReservedLabels, label) != kReservedLabels.end()) {
    return tl::unexpected(Error{Errc::invalid_argument, {}, 0, "label"});
  }
  if (context && context->size() > kMaxContext) {
    return tl::unexpected(Error{Errc::invalid_argument, {}, 0, "context"});
  }
  return {};
}

}  // namespace sluice::dtls::schedule
