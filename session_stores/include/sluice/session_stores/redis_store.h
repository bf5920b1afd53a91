// Live sessions in Redis (6.2 or later), which the servers of a cluster share.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include <sluice/dtls/error.h>
#include <sluice/session_stores/live_session_store.h>

namespace sluice::session_stores {

struct RedisStoreOptions {
  StoreOptions store = {};
  std::string host = "127.0.0.1";
  std::uint16_t port = 6379;
  std::string user = {};      // empty: the default user
  std::string password = {};  // empty: none
  // Starts each key, so that several fleets can share a database.
  std::string prefix = "sluice";
  // For the connection, and for each answer. Requests fail after it; the next one connects anew. At
  // least 1 ms.
  std::chrono::milliseconds timeout = std::chrono::seconds(1);
};

// Keys hold the run_id of the Redis process, and sessions are found only while it runs: a Redis
// that was started again, or a replica that has taken over, may hold sessions that were taken since
// its copy was made. Their peers make a full handshake.
//
// One thread per store talks to Redis: all requests that wait are one pipeline. Nothing connects
// before the first request. Errors: invalid_config, with the field's name in Error::detail.
dtls::Result<std::unique_ptr<LiveSessionStore>> make_redis_store(const RedisStoreOptions& options);

}  // namespace sluice::session_stores
