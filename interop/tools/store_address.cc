#include "tools/store_address.h"

#include <utility>

#include "common/redis_address.h"

namespace sluice::interop::tools {

tl::expected<StoreAddress, std::string> parse_store(std::string_view text) {
  constexpr std::string_view kLmdb = "lmdb:";
  if (text == "memory") return StoreAddress{};
  if (text.starts_with(kLmdb) && text.size() > kLmdb.size()) {
    return StoreAddress{StoreKind::lmdb, std::string(text.substr(kLmdb.size()))};
  }
  if (auto redis = parse_redis(text)) {
    return StoreAddress{StoreKind::redis, std::move(redis->host), redis->port};
  }
  return tl::unexpected<std::string>("--store: memory, lmdb:PATH or redis:HOST:PORT");
}

}  // namespace sluice::interop::tools
