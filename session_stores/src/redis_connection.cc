#include "redis_connection.h"

#include <array>
#include <vector>

namespace sluice::session_stores {
namespace {

// The value of a line "name:value" in the reply to INFO.
std::string field_of(std::string_view info, std::string_view name) {
  const auto at = info.find(std::string(name) + ":");
  if (at == std::string_view::npos) return {};
  info.remove_prefix(at + name.size() + 1);
  return std::string(info.substr(0, info.find_first_of("\r\n")));
}

}  // namespace

bool RedisConnection::connect() {
  if (context_ != nullptr && context_->err == 0) return true;
  const timeval limit{options_.timeout.count() / 1000, options_.timeout.count() % 1000 * 1000};
  context_.reset(redisConnectWithTimeout(options_.host.c_str(), options_.port, limit));
  const bool connected = context_ != nullptr && context_->err == 0 &&
                         redisSetTimeout(context_.get(), limit) == REDIS_OK && authenticate() &&
                         learn_run_id();
  if (!connected) context_.reset();
  return connected;
}

bool RedisConnection::authenticate() {
  if (options_.password.empty()) return true;
  const bool sent = options_.user.empty() ? send({"AUTH", options_.password})
                                          : send({"AUTH", options_.user, options_.password});
  if (!sent) return false;
  const ReplyPtr reply = receive();
  return reply != nullptr && reply->type != REDIS_REPLY_ERROR;
}

bool RedisConnection::learn_run_id() {
  if (!send({"INFO", "server"})) return false;
  const ReplyPtr reply = receive();
  if (reply == nullptr || reply->str == nullptr) return false;
  run_id_ = field_of({reply->str, reply->len}, "run_id");
  return !run_id_.empty();
}

bool RedisConnection::send(std::initializer_list<std::string_view> command) {
  std::vector<const char*> words;
  std::vector<std::size_t> sizes;
  for (const std::string_view word : command) {
    words.push_back(word.data());
    sizes.push_back(word.size());
  }
  return context_ != nullptr &&
         redisAppendCommandArgv(context_.get(), static_cast<int>(words.size()), words.data(),
                                sizes.data()) == REDIS_OK;
}

ReplyPtr RedisConnection::receive() {
  void* reply = nullptr;
  if (context_ == nullptr || redisGetReply(context_.get(), &reply) != REDIS_OK) return nullptr;
  return ReplyPtr(static_cast<redisReply*>(reply));
}

}  // namespace sluice::session_stores
