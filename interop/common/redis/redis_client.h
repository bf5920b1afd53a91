// A connection to Redis for commands one after the other. Blocks: not for a thread of media.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/redis_address.h"

namespace sluice::interop {

struct RedisOptions {
  RedisAddress address = {};
  std::string user = {};      // empty: the default user
  std::string password = {};  // empty: none
  // For the connection, and for each answer.
  std::chrono::milliseconds timeout{1000};
};

struct RedisReply {
  enum class Kind : std::uint8_t { nothing, number, text, list, error };
  Kind kind = Kind::nothing;
  std::int64_t number = 0;
  std::string text = {};               // also of an error and of a status
  std::vector<std::string> list = {};  // its texts; what is no text is left out
};

class RedisClient {
 public:
  // The longest wait from one attempt to connect to the next one.
  static constexpr std::chrono::milliseconds kLongestPause{2000};

  explicit RedisClient(RedisOptions options);
  ~RedisClient();
  RedisClient(const RedisClient&) = delete;
  RedisClient& operator=(const RedisClient&) = delete;

  // Connects unless it is connected, at the soonest after a pause that doubles with each failure.
  // False: it is not connected.
  bool connect();
  // Empty: no answer has come, and the connection is closed.
  std::optional<RedisReply> command(std::span<const std::string> words);

 private:
  struct Connection;

  // False: Redis has refused.
  bool authenticate();
  void put_off();

  RedisOptions options_;
  std::unique_ptr<Connection> connection_;
  std::chrono::milliseconds pause_{};
  std::chrono::steady_clock::time_point next_attempt_{};
};

}  // namespace sluice::interop
