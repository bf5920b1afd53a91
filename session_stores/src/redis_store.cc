#include <sluice/session_stores/redis_store.h>

#include <algorithm>
#include <utility>

#include "options.h"
#include "redis_connection.h"
#include "worker.h"

namespace sluice::session_stores {
namespace {

std::string_view text_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
std::string_view text_of(const redisReply& reply) { return {reply.str, reply.len}; }
Bytes bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

bool is_error(const redisReply& reply) { return reply.type == REDIS_REPLY_ERROR; }
bool is_text(const redisReply& reply) { return reply.type == REDIS_REPLY_STRING; }

Failed redis_failure(const redisReply& reply) {
  const bool is_full = text_of(reply).starts_with("OOM");
  return Failed{is_full ? StoreError::full : StoreError::unavailable};
}

// What a request still needs after the first replies: a session that was asked for by another
// connection ID than its first.
struct FollowUp {
  std::size_t request;
  std::string first_id;
};

class RedisBackend final : public Backend {
 public:
  explicit RedisBackend(const RedisStoreOptions& options)
      : options_(options.store), prefix_(options.prefix), redis_(options) {}

  void process(std::vector<Request>& requests, Completions& completions) override {
    outcomes_.assign(requests.size(), Failed{StoreError::unavailable});
    if (redis_.connect()) run(requests);
    for (std::size_t i = 0; i < requests.size(); ++i) {
      completions.complete({requests[i].token, std::move(outcomes_[i])});
    }
  }

 private:
  // Each step sends all of its commands, then receives all replies.
  void run(const std::vector<Request>& requests) {
    for (const Request& request : requests) {
      std::visit([&](const auto& operation) { send(operation); }, request.operation);
    }
    for (std::size_t i = 0; i < requests.size(); ++i) {
      std::visit([&](const auto& operation) { outcomes_[i] = receive(operation, i); },
                 requests[i].operation);
    }
    follow_up(requests);
    remove_references();
    for (std::size_t i = 0; i < requests.size(); ++i) {
      if (std::holds_alternative<Count>(requests[i].operation)) outcomes_[i] = count();
    }
  }

  void send(const Put& put) {
    Entry entry = put.entry;
    const std::string lifetime = std::to_string(entry.expires);
    entry.expires += seconds_now(options_);
    const std::string_view id = text_of(put.connection_id);
    const Buffer bytes = encode(entry);
    redis_.send({"SET", session_key(id), text_of(bytes), "EX", lifetime, "GET"});
    for (const Buffer& other : entry.other_connection_ids) {
      redis_.send({"SET", reference_key(text_of(other)), id, "EX", lifetime});
    }
  }
  void send(const Take& take) { send_take(take.connection_id); }
  void send(const Erase& erase) { send_take(erase.connection_id); }
  void send(const Count& /*count*/) {}  // comes last: count()
  void send_take(Bytes id) {
    redis_.send({"GETDEL", session_key(text_of(id))});
    redis_.send({"GETDEL", reference_key(text_of(id))});
  }

  Outcome receive(const Put& put, std::size_t /*request*/) {
    const auto& others = put.entry.other_connection_ids;
    Outcome outcome = PutDone{};
    for (std::size_t i = 0; i <= others.size(); ++i) {
      const ReplyPtr reply = redis_.receive();
      if (reply == nullptr) return Failed{StoreError::outcome_unknown};
      if (is_error(*reply)) outcome = redis_failure(*reply);
      if (i == 0 && is_text(*reply)) note_replaced(*reply, others);
    }
    return outcome;
  }
  Outcome receive(const Take& /*take*/, std::size_t request) {
    return receive_take<TakeDone>(request);
  }
  Outcome receive(const Erase& /*erase*/, std::size_t request) {
    return receive_take<EraseDone>(request);
  }
  static Outcome receive(const Count& /*count*/, std::size_t /*request*/) { return CountDone{}; }

  template <class Done>
  Outcome receive_take(std::size_t request) {
    const ReplyPtr session = redis_.receive();
    const ReplyPtr first_id = redis_.receive();
    if (session == nullptr || first_id == nullptr) return Failed{StoreError::outcome_unknown};
    if (is_error(*session)) return redis_failure(*session);
    if (is_error(*first_id)) return redis_failure(*first_id);
    if (is_text(*session)) return done<Done>(*session, {});
    if (is_text(*first_id)) follow_ups_.push_back({request, std::string(text_of(*first_id))});
    return Done{};
  }

  void follow_up(const std::vector<Request>& requests) {
    for (const FollowUp& one : follow_ups_) redis_.send({"GETDEL", session_key(one.first_id)});
    for (const FollowUp& one : follow_ups_) {
      const ReplyPtr reply = redis_.receive();
      Outcome& outcome = outcomes_[one.request];
      if (reply == nullptr) {
        outcome = Failed{StoreError::outcome_unknown};
      } else if (is_error(*reply)) {
        outcome = redis_failure(*reply);
      } else if (is_text(*reply)) {
        const auto& operation = requests[one.request].operation;
        const auto* take = std::get_if<Take>(&operation);
        outcome = take != nullptr
                      ? done<TakeDone>(*reply, take->connection_id)
                      : done<EraseDone>(*reply, std::get<Erase>(operation).connection_id);
      }
    }
    follow_ups_.clear();
  }

  // The outcome for a session that Redis gave out. `asked`: the other connection ID that it was
  // asked for by, which must be one of its own.
  template <class Done>
  Outcome done(const redisReply& reply, Bytes asked) {
    auto entry = decode(bytes_of(text_of(reply)));
    if (!entry) return Done{};  // a foreign form: nobody can use it
    const auto& others = entry->other_connection_ids;
    const bool is_its_own = asked.empty() || std::ranges::any_of(others, [&](const Buffer& id) {
                              return std::ranges::equal(id, asked);
                            });
    for (const Buffer& id : others) references_.push_back(reference_key(text_of(id)));
    if (!is_its_own || entry->expires <= seconds_now(options_)) return Done{};
    if constexpr (std::is_same_v<Done, TakeDone>) {
      return TakeDone{std::move(entry->session)};
    } else {
      return EraseDone{true};
    }
  }

  // A reference of the replaced session would lead to the new one.
  void note_replaced(const redisReply& reply, const std::vector<Buffer>& kept) {
    const auto entry = decode(bytes_of(text_of(reply)));
    if (!entry) return;
    for (const Buffer& id : entry->other_connection_ids) {
      const bool is_kept = std::ranges::find(kept, id) != kept.end();
      if (!is_kept) references_.push_back(reference_key(text_of(id)));
    }
  }

  // Of sessions that are gone. Without this they would stay until they expire.
  void remove_references() {
    for (const std::string& key : references_) redis_.send({"DEL", key});
    for (std::size_t i = 0; i < references_.size(); ++i) redis_.receive();
    references_.clear();
  }

  Outcome count() {
    CountDone done{};
    std::string cursor = "0";
    do {
      redis_.send({"SCAN", cursor, "MATCH", escaped(session_key("")) + '*', "COUNT", "1000"});
      const ReplyPtr reply = redis_.receive();
      if (reply == nullptr) return Failed{StoreError::unavailable};
      if (is_error(*reply) || reply->elements != 2) return redis_failure(*reply);
      cursor = text_of(*reply->element[0]);
      done.sessions += reply->element[1]->elements;
    } while (cursor != "0");
    return done;
  }

  // The key of a session by its first connection ID, and of its name by another one.
  [[nodiscard]] std::string session_key(std::string_view id) const { return key("session", id); }
  [[nodiscard]] std::string reference_key(std::string_view id) const { return key("other", id); }
  [[nodiscard]] std::string key(std::string_view kind, std::string_view id) const {
    std::string key = prefix_ + ':' + redis_.run_id() + ':';
    key.append(kind).append(1, ':').append(id);
    return key;
  }
  // For a pattern of SCAN.
  static std::string escaped(std::string_view key) {
    std::string pattern;
    for (const char character : key) pattern.append(1, '\\').append(1, character);
    return pattern;
  }

  const StoreOptions options_;
  const std::string prefix_;
  RedisConnection redis_;
  // Of the present batch.
  std::vector<Outcome> outcomes_;
  std::vector<FollowUp> follow_ups_;
  std::vector<std::string> references_;  // keys
};

}  // namespace

dtls::Result<std::unique_ptr<LiveSessionStore>> make_redis_store(const RedisStoreOptions& options) {
  if (options.store.max_pending == 0) return invalid("max_pending");
  if (options.host.empty()) return invalid("host");
  if (options.port == 0) return invalid("port");
  if (options.timeout < std::chrono::milliseconds(1)) return invalid("timeout");
  if (!options.user.empty() && options.password.empty()) return invalid("password");
  return std::make_unique<WorkerStore>(options.store, std::make_unique<RedisBackend>(options));
}

}  // namespace sluice::session_stores
