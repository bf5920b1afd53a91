// The folder of an LMDB database, and whether its contents can be relied on.
#pragma once

#include <filesystem>
#include <string>

#include <sluice/dtls/error.h>

namespace sluice::session_stores {

// LMDB without a sync per transaction may lose its last transactions, or be damaged, when the
// machine stops: a session that was taken would be there again. So while a process has the folder
// open, a file in it holds the number of the system's start; one of another start means that the
// machine has stopped meanwhile, and the database is removed before it is opened.
class LmdbFolder {
 public:
  struct Options {
    // Each transaction is synced, so the database is never removed.
    bool survives_power_failure = false;
    // LmdbStoreOptions::exclusive.
    bool is_exclusive = false;
  };
  // Makes the folder if it is missing. Errors: invalid_config.
  static dtls::Result<LmdbFolder> open(const std::filesystem::path& folder, const Options& options);
  LmdbFolder(LmdbFolder&& other) noexcept;
  LmdbFolder& operator=(LmdbFolder&&) = delete;
  ~LmdbFolder();

  // The database has been synced, and this process does not change it any more. Unless another
  // process has the folder open, the next one finds it in order.
  void close_in_order() const;

 private:
  LmdbFolder(std::filesystem::path folder, int owner, int marker)
      : folder_(std::move(folder)), owner_(owner), marker_(marker) {}

  std::filesystem::path folder_;
  // Files with locks; -1: closed.
  int owner_;   // shared, or of this process alone
  int marker_;  // shared
};

}  // namespace sluice::session_stores
