#include "tools/store_address.h"

#include <charconv>

namespace sluice::interop::tools {

tl::expected<StoreAddress, std::string> parse_store(std::string_view text) {
  constexpr std::string_view kLmdb = "lmdb:";
  constexpr std::string_view kRedis = "redis:";
  if (text == "memory") return StoreAddress{};
  if (text.starts_with(kLmdb) && text.size() > kLmdb.size()) {
    return StoreAddress{StoreKind::lmdb, std::string(text.substr(kLmdb.size()))};
  }
  const auto colon = text.rfind(':');
  if (text.starts_with(kRedis) && colon > kRedis.size()) {
    std::uint16_t port = 0;
    const std::string_view digits = text.substr(colon + 1);
    const char* const end = digits.data() + digits.size();
    // NOLINTNEXTLINE(bugprone-suspicious-stringview-data-usage): the end is given, too.
    const auto read = std::from_chars(digits.data(), end, port);
    if (read.ec == std::errc{} && read.ptr == end && port != 0) {
      std::string_view host = text.substr(kRedis.size(), colon - kRedis.size());
      if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
      return StoreAddress{StoreKind::redis, std::string(host), port};
    }
  }
  return tl::unexpected<std::string>("--store: memory, lmdb:PATH or redis:HOST:PORT");
}

}  // namespace sluice::interop::tools
