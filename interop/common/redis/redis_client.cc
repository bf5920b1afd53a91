#include "common/redis/redis_client.h"

#include <hiredis/hiredis.h>
#include <sys/time.h>

#include <algorithm>
#include <utility>

namespace sluice::interop {
namespace {

constexpr std::chrono::milliseconds kFirstPause{100};

struct FreeReply {
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};
using ReplyPtr = std::unique_ptr<redisReply, FreeReply>;

RedisReply read(const redisReply& reply) {
  using Kind = RedisReply::Kind;
  switch (reply.type) {
    case REDIS_REPLY_INTEGER:
      return {.kind = Kind::number, .number = reply.integer};
    case REDIS_REPLY_STATUS:
    case REDIS_REPLY_STRING:
      return {.kind = Kind::text, .text = {reply.str, reply.len}};
    case REDIS_REPLY_ERROR:
      return {.kind = Kind::error, .text = {reply.str, reply.len}};
    case REDIS_REPLY_ARRAY: {
      RedisReply list{.kind = Kind::list};
      for (const redisReply* each : std::span(reply.element, reply.elements)) {
        if (each->type == REDIS_REPLY_STRING) list.list.emplace_back(each->str, each->len);
      }
      return list;
    }
    default:
      return {};
  }
}

}  // namespace

struct RedisClient::Connection {
  struct Free {
    void operator()(redisContext* freed) const { redisFree(freed); }
  };
  std::unique_ptr<redisContext, Free> context;
};

RedisClient::RedisClient(RedisOptions options)
    : options_(std::move(options)), connection_(std::make_unique<Connection>()) {}
RedisClient::~RedisClient() = default;

bool RedisClient::connect() {
  auto& context = connection_->context;
  if (context != nullptr && context->err == 0) return true;
  if (std::chrono::steady_clock::now() < next_attempt_) return false;
  const timeval limit{options_.timeout.count() / 1000, options_.timeout.count() % 1000 * 1000};
  context.reset(
      redisConnectWithTimeout(options_.address.host.c_str(), options_.address.port, limit));
  const bool is_connected = context != nullptr && context->err == 0 &&
                            redisSetTimeout(context.get(), limit) == REDIS_OK && authenticate();
  if (is_connected) {
    pause_ = {};
  } else {
    put_off();
  }
  return is_connected;
}

void RedisClient::put_off() {
  connection_->context.reset();
  pause_ = std::clamp(2 * pause_, kFirstPause, kLongestPause);
  next_attempt_ = std::chrono::steady_clock::now() + pause_;
}

bool RedisClient::authenticate() {
  if (options_.password.empty()) return true;
  std::vector<std::string> words = {"AUTH"};
  if (!options_.user.empty()) words.push_back(options_.user);
  words.push_back(options_.password);
  const auto reply = command(words);
  return reply && reply->kind != RedisReply::Kind::error;
}

std::optional<RedisReply> RedisClient::command(std::span<const std::string> words) {
  auto& context = connection_->context;
  if (context == nullptr) return std::nullopt;
  std::vector<const char*> starts;
  std::vector<std::size_t> sizes;
  for (const std::string& word : words) {
    starts.push_back(word.data());
    sizes.push_back(word.size());
  }
  const ReplyPtr reply(static_cast<redisReply*>(redisCommandArgv(
      context.get(), static_cast<int>(words.size()), starts.data(), sizes.data())));
  if (reply == nullptr) {
    put_off();
    return std::nullopt;
  }
  return read(*reply);
}

}  // namespace sluice::interop
