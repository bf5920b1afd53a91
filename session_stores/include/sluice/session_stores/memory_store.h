// Live sessions in the memory of the process: for tests, and for ageing without a database.
#pragma once

#include <cstddef>
#include <memory>

#include <sluice/session_stores/live_session_store.h>

namespace sluice::session_stores {

struct MemoryStoreOptions {
  StoreOptions store = {};
  // Further sessions fail with StoreError::full.
  std::size_t max_sessions = 1'000'000;
};

// The sessions of several stores, one store per thread. Thread-safe.
class SharedSessions;
std::shared_ptr<SharedSessions> make_shared_sessions(std::size_t max_sessions);

// Every request is complete at once.
std::unique_ptr<LiveSessionStore> make_memory_store(const MemoryStoreOptions& options = {});
// MemoryStoreOptions::max_sessions is that of make_shared_sessions().
std::unique_ptr<LiveSessionStore> make_memory_store(std::shared_ptr<SharedSessions> sessions,
                                                    const StoreOptions& options = {});

}  // namespace sluice::session_stores
