#include "lmdb_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <system_error>
#include <utility>

#include "options.h"

namespace sluice::session_stores {
namespace {

namespace fs = std::filesystem;

// Holds the boot ID of the system while a process has the database open.
constexpr const char* kMarker = "in-use";
// Always empty: only its lock counts. The lock on the marker is exclusive for moments in any case.
constexpr const char* kOwner = "owner";

tl::unexpected<dtls::Error> failure(const fs::path& path, int error) {
  return invalid(path.string() + ": " + std::generic_category().message(error));
}

// Differs each time the system starts.
std::string boot_id() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(file, id);
  return id;
}

std::string contents_of(int file) {
  std::array<char, 64> text{};
  const ssize_t size = pread(file, text.data(), text.size(), 0);
  return {text.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
}

bool write_all(int file, std::string_view text) {
  return ftruncate(file, 0) == 0 &&
         pwrite(file, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()) &&
         fsync(file) == 0;
}

void sync_folder(const fs::path& folder) {
  const int file = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return;
  fsync(file);
  close(file);
}

// Called with the only lock on the marker.
void remove_database(const fs::path& folder) {
  std::error_code ignored;
  fs::remove(folder / "data.mdb", ignored);
  fs::remove(folder / "lock.mdb", ignored);
  sync_folder(folder);
}

}  // namespace

dtls::Result<LmdbFolder> LmdbFolder::open(const fs::path& folder, const Options& options) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return failure(folder, error.value());
  const fs::path owner = folder / kOwner;
  LmdbFolder opened(folder, ::open(owner.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600), -1);
  if (opened.owner_ < 0) return failure(owner, errno);
  if (flock(opened.owner_, (options.is_exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return failure(owner, errno);
    return invalid(folder.string() + ": another process has it open, which excludes this one");
  }
  const fs::path path = folder / kMarker;
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return failure(path, errno);
  opened.marker_ = file;

  // The first process alone may find what a stop of the machine has left.
  if (flock(file, LOCK_EX | LOCK_NB) == 0) {
    const std::string present = boot_id();
    const std::string left = contents_of(file);
    if (!options.survives_power_failure && !left.empty() && left != present)
      remove_database(folder);
    if (!write_all(file, present)) return failure(path, errno);
    sync_folder(folder);
  }
  if (flock(file, LOCK_SH) != 0) return failure(path, errno);
  return opened;
}

LmdbFolder::LmdbFolder(LmdbFolder&& other) noexcept
    : folder_(std::move(other.folder_)),
      owner_(std::exchange(other.owner_, -1)),
      marker_(std::exchange(other.marker_, -1)) {}

LmdbFolder::~LmdbFolder() {
  for (const int file : {marker_, owner_}) {
    if (file >= 0) close(file);
  }
}

void LmdbFolder::close_in_order() const {
  // The last process alone: another one still changes the database.
  if (flock(marker_, LOCK_EX | LOCK_NB) == 0) write_all(marker_, "");
}

}  // namespace sluice::session_stores
