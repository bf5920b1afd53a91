#include <sluice/dtls/resumption_store.h>

#include <list>
#include <map>
#include <mutex>

namespace sluice::dtls {

struct ResumptionStore::State {
  struct Entry {
    Buffer id;
    ResumableSession session;
  };
  using Entries = std::list<Entry>;

  const std::size_t capacity;
  mutable std::mutex mutex = {};
  Entries entries = {};  // the most recently used first
  std::map<Buffer, Entries::iterator> by_id = {};

  void remove(Entries::iterator entry) {
    by_id.erase(entry->id);
    entries.erase(entry);
  }
  // Empty when there is none.
  std::optional<Entries::iterator> locate(Bytes id) {
    const auto found = by_id.find(Buffer(id.begin(), id.end()));
    return found != by_id.end() ? std::optional(found->second) : std::nullopt;
  }
};

ResumptionStore::ResumptionStore(std::size_t capacity) : state_(new State{capacity}) {}
ResumptionStore::~ResumptionStore() = default;

void ResumptionStore::keep(const SessionToStore& session, Instant now) {
  const std::lock_guard lock(state_->mutex);
  auto& entries = state_->entries;
  if (const auto same = state_->locate(session.id)) state_->remove(*same);
  while (!entries.empty() &&
         (entries.back().session.expires() <= now || entries.size() >= state_->capacity)) {
    state_->remove(std::prev(entries.end()));
  }
  if (state_->capacity == 0) return;
  entries.push_front({session.id, session.session});
  state_->by_id.emplace(session.id, entries.begin());
}

std::optional<ResumableSession> ResumptionStore::find(Bytes id, Instant now) {
  const std::lock_guard lock(state_->mutex);
  const auto entry = state_->locate(id);
  if (!entry) return std::nullopt;
  if ((*entry)->session.expires() <= now) {
    state_->remove(*entry);
    return std::nullopt;
  }
  state_->entries.splice(state_->entries.begin(), state_->entries, *entry);
  return (*entry)->session;
}

void ResumptionStore::forget(Bytes id) {
  const std::lock_guard lock(state_->mutex);
  if (const auto entry = state_->locate(id)) state_->remove(*entry);
}

SessionRequested::Answer ResumptionStore::answer(const SessionRequested& asked, Instant now) {
  if (auto session = find(asked.id, now)) return ResumeSession{0, std::move(*session)};
  return NoSession{};
}

PskRequested::Answer ResumptionStore::answer(const PskRequested& asked, Instant now) {
  for (std::size_t i = 0; i < asked.identities.size(); ++i) {
    if (auto session = find(asked.identities[i], now)) return ResumeSession{i, std::move(*session)};
  }
  return NoPsk{};
}

std::size_t ResumptionStore::size() const {
  const std::lock_guard lock(state_->mutex);
  return state_->entries.size();
}

}  // namespace sluice::dtls
