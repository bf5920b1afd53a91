// A connection to one Redis process, made anew when it broke.
#pragma once

#include <hiredis/hiredis.h>

#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <sluice/session_stores/redis_store.h>

namespace sluice::session_stores {

struct FreeReply {
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};
// Null: the connection broke.
using ReplyPtr = std::unique_ptr<redisReply, FreeReply>;

class RedisConnection {
 public:
  explicit RedisConnection(RedisStoreOptions options) : options_(std::move(options)) {}

  // Connects unless it is connected. False: that failed.
  bool connect();
  // The run_id of the Redis process. Valid while connected.
  [[nodiscard]] const std::string& run_id() const { return run_id_; }

  // Queues a command. Its reply comes after those of earlier commands. False: the connection broke.
  bool send(std::initializer_list<std::string_view> command);
  // The next reply.
  ReplyPtr receive();

 private:
  struct Free {
    void operator()(redisContext* context) const { redisFree(context); }
  };

  // False: Redis has refused.
  bool authenticate();
  bool learn_run_id();

  RedisStoreOptions options_;
  std::unique_ptr<redisContext, Free> context_;
  std::string run_id_;
};

}  // namespace sluice::session_stores
