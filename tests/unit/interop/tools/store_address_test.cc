// What --store names.
#include "tools/store_address.h"

#include <gtest/gtest.h>

namespace sluice::interop::tools {
namespace {

TEST(StoreAddress, NamesAMemoryAFolderOrARedis) {
  EXPECT_EQ(parse_store("memory")->kind, StoreKind::memory);
  const auto folder = parse_store("lmdb:/var/lib/with:colon");
  EXPECT_EQ(folder->kind, StoreKind::lmdb);
  EXPECT_EQ(folder->place, "/var/lib/with:colon");
  const auto redis = parse_store("redis:cache.example:6379");
  EXPECT_EQ(redis->kind, StoreKind::redis);
  EXPECT_EQ(redis->place, "cache.example");
  EXPECT_EQ(redis->port, 6379);
  EXPECT_EQ(parse_store("redis:[::1]:1")->place, "::1");
}

TEST(StoreAddress, IsNothingElse) {
  for (const char* text :
       {"", "memory:", "lmdb", "lmdb:", "redis", "redis:", "redis:6379", "redis::1",
        "redis:host:", "redis:host:0", "redis:host:65536", "redis:host:1x", "disk:/x"}) {
    EXPECT_FALSE(parse_store(text)) << text;
  }
}

}  // namespace
}  // namespace sluice::interop::tools
