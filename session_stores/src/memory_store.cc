#include <sluice/session_stores/memory_store.h>

#include <map>
#include <utility>

#include "options.h"
#include "queued_store.h"
#include "request.h"

namespace sluice::session_stores {

class SharedSessions {
 public:
  explicit SharedSessions(std::size_t max_sessions) : max_sessions_(max_sessions) {}

  bool put(Put put, std::int64_t now) {
    const std::scoped_lock lock(mutex_);
    remove_expired(now);
    remove(put.connection_id);
    if (sessions_.size() >= max_sessions_) return false;
    put.entry.expires += now;
    const auto by_expiry = expiries_.emplace(put.entry.expires, put.connection_id);
    for (const Buffer& id : put.entry.other_connection_ids) others_[id] = put.connection_id;
    sessions_.emplace(std::move(put.connection_id), Known{std::move(put.entry), by_expiry});
    return true;
  }
  // Empty: there is none.
  Buffer take(const Buffer& connection_id, std::int64_t now) {
    const std::scoped_lock lock(mutex_);
    remove_expired(now);
    Buffer session = remove(connection_id);
    if (!session.empty()) return session;
    const auto other = others_.find(connection_id);
    return other == others_.end() ? Buffer() : remove(Buffer(other->second));
  }
  std::size_t count(std::int64_t now) {
    const std::scoped_lock lock(mutex_);
    remove_expired(now);
    return sessions_.size();
  }

 private:
  using Expiries = std::multimap<std::int64_t, Buffer>;
  struct Known {
    Entry entry;
    Expiries::iterator by_expiry;
  };

  Buffer remove(const Buffer& first_id) {
    auto known = sessions_.extract(first_id);
    if (known.empty()) return {};
    Entry& entry = known.mapped().entry;
    for (const Buffer& id : entry.other_connection_ids) {
      const auto other = others_.find(id);
      if (other != others_.end() && other->second == first_id) others_.erase(other);
    }
    expiries_.erase(known.mapped().by_expiry);
    return std::move(entry.session);
  }
  void remove_expired(std::int64_t now) {
    while (!expiries_.empty() && expiries_.begin()->first <= now) {
      remove(Buffer(expiries_.begin()->second));
    }
  }

  const std::size_t max_sessions_;
  std::mutex mutex_;
  std::map<Buffer, Known> sessions_;  // by their first connection ID
  std::map<Buffer, Buffer> others_;   // the first connection ID, by another one
  Expiries expiries_;
};

namespace {

class MemoryStore final : public QueuedStore {
 public:
  MemoryStore(std::shared_ptr<SharedSessions> sessions, const StoreOptions& options)
      : QueuedStore(options), options_(options), sessions_(std::move(sessions)) {}

 private:
  Accepted submit(Request request) override {
    if (!completions().begin()) return tl::unexpected(StoreError::overloaded);
    auto outcome = std::visit([&](auto& operation) { return done(operation); }, request.operation);
    completions().complete({request.token, std::move(outcome)});
    return {};
  }
  Outcome done(Put& put) {
    if (!sessions_->put(std::move(put), now())) return Failed{StoreError::full};
    return PutDone{};
  }
  Outcome done(const Take& take) { return TakeDone{sessions_->take(take.connection_id, now())}; }
  Outcome done(const Erase& erase) {
    return EraseDone{!sessions_->take(erase.connection_id, now()).empty()};
  }
  Outcome done(const Count& /*count*/) { return CountDone{sessions_->count(now())}; }
  [[nodiscard]] std::int64_t now() const { return seconds_now(options_); }

  const StoreOptions options_;
  std::shared_ptr<SharedSessions> sessions_;
};

}  // namespace

std::shared_ptr<SharedSessions> make_shared_sessions(std::size_t max_sessions) {
  return std::make_shared<SharedSessions>(max_sessions);
}

std::unique_ptr<LiveSessionStore> make_memory_store(const MemoryStoreOptions& options) {
  return make_memory_store(make_shared_sessions(options.max_sessions), options.store);
}

std::unique_ptr<LiveSessionStore> make_memory_store(std::shared_ptr<SharedSessions> sessions,
                                                    const StoreOptions& options) {
  return std::make_unique<MemoryStore>(std::move(sessions), options);
}

}  // namespace sluice::session_stores
