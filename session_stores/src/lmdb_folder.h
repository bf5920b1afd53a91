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
  // Makes the folder if it is missing. `survives_power_failure`: each transaction is synced, so the
  // database is never removed. Errors: invalid_config.
  static dtls::Result<LmdbFolder> open(const std::filesystem::path& folder,
                                       bool survives_power_failure);
  LmdbFolder(LmdbFolder&& other) noexcept;
  LmdbFolder& operator=(LmdbFolder&&) = delete;
  ~LmdbFolder();

  // The database has been synced, and this process does not change it any more. Unless another
  // process has the folder open, the next one finds it in order.
  void close_in_order() const;

 private:
  LmdbFolder(std::filesystem::path folder, int marker)
      : folder_(std::move(folder)), marker_(marker) {}

  std::filesystem::path folder_;
  int marker_;  // the file, with a shared lock; -1: closed
};

}  // namespace sluice::session_stores
