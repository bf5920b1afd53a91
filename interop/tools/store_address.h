// Where a server keeps live sessions: what --store names.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace sluice::interop::tools {

enum class StoreKind : std::uint8_t { memory, lmdb, redis };

struct StoreAddress {
  StoreKind kind = StoreKind::memory;
  std::string place = {};  // the folder of LMDB, the host of Redis
  std::uint16_t port = 0;  // of Redis
};

// Reads "memory", "lmdb:PATH" or "redis:HOST:PORT". The error says what is wrong.
tl::expected<StoreAddress, std::string> parse_store(std::string_view text);

}  // namespace sluice::interop::tools
