// Live sessions in an LMDB database on this machine, which several processes may share.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>

#include <sluice/dtls/error.h>
#include <sluice/session_stores/live_session_store.h>

namespace sluice::session_stores {

enum class Durability : std::uint8_t {
  // A change is in the system's page cache when it completes, in some 10 us. It survives the end of
  // the process, kill -9 included. When the machine itself has stopped without warning, the store
  // starts empty.
  process,
  // A change is on the disk when it completes, which takes as long as the disk needs. Sessions
  // survive a power failure.
  machine,
};

struct LmdbStoreOptions {
  StoreOptions store = {};
  // Is made if it is missing. On a local file system: LMDB's locks need shared memory.
  std::filesystem::path folder;
  // The largest size of the database file, in bytes. Sessions above it fail with StoreError::full.
  // Takes addresses, not memory; the file grows as needed and never shrinks.
  std::size_t max_bytes = std::size_t{16} << 30;
  Durability durability = Durability::process;
  // No other store may have the folder open at the same time: make_lmdb_store() fails here where
  // one has, and there while this one has. For snapshots (Connection::snapshot()): a session in the
  // store may still be in use where its snapshot was taken, so nobody else may take it. The lock
  // ends with the process, also by kill -9.
  bool exclusive = false;
};

// One thread per store makes the changes: all requests that wait are one transaction.
// Errors: invalid_config, with the cause in Error::detail.
dtls::Result<std::unique_ptr<LiveSessionStore>> make_lmdb_store(const LmdbStoreOptions& options);

}  // namespace sluice::session_stores
