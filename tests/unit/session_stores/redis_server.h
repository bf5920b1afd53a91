// A redis-server on a free port of loopback.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <string>

namespace sluice::session_stores::test {

class RedisServer {
 public:
  // Returns when it takes connections. `options` are arguments of redis-server. `folder` is where
  // it saves its data; empty: it saves none. Port 0: a free one.
  explicit RedisServer(std::initializer_list<std::string> options = {},
                       const std::filesystem::path& folder = {}, std::uint16_t port = 0);
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;
  ~RedisServer() { stop(); }

  [[nodiscard]] std::uint16_t port() const { return port_; }
  // SIGTERM, which saves its data.
  void stop();
  void signal(int number) const;

 private:
  std::uint16_t port_;
  pid_t process_ = -1;
  int output_ = -1;
};

}  // namespace sluice::session_stores::test
