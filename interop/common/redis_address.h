// Where a Redis is: "redis:HOST:PORT".
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace sluice::interop {

struct RedisAddress {
  std::string host = {};  // a name or an IP literal, without brackets
  std::uint16_t port = 0;
};

// Empty: it is none.
inline std::optional<RedisAddress> parse_redis(std::string_view text) {
  constexpr std::string_view kRedis = "redis:";
  const auto colon = text.rfind(':');
  if (!text.starts_with(kRedis) || colon <= kRedis.size() || colon == std::string_view::npos) {
    return std::nullopt;
  }
  std::uint16_t port = 0;
  const std::string_view digits = text.substr(colon + 1);
  const char* const end = digits.data() + digits.size();
  // NOLINTNEXTLINE(bugprone-suspicious-stringview-data-usage): the end is given, too.
  const auto read = std::from_chars(digits.data(), end, port);
  if (read.ec != std::errc{} || read.ptr != end || port == 0) return std::nullopt;
  std::string_view host = text.substr(kRedis.size(), colon - kRedis.size());
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return RedisAddress{std::string(host), port};
}

}  // namespace sluice::interop
