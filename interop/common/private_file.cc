#include "common/private_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include "common/random_numbers.h"

namespace sluice::interop::common {
namespace {

// False: as errno says.
bool write_all(int descriptor, dtls::Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t size = ::write(descriptor, bytes.data(), bytes.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(size));
  }
  return true;
}

// A file beside `file` until it gets its name, so that `file` is whole or not there.
class Draft {
 public:
  explicit Draft(const std::string& file) : file_(file), name_(file + "." + random_id()) {}
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;
  ~Draft() { unlink(name_.c_str()); }

  [[nodiscard]] FileResult<void> write(dtls::Bytes bytes, Durability durability) const {
    const udp::Descriptor made(
        open(name_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR));
    const bool is_written = made.is_open() && write_all(made.number(), bytes) &&
                            (durability == Durability::process || fsync(made.number()) == 0);
    if (!is_written) return file_error(file_);
    return {};
  }
  // False: another process was faster.
  [[nodiscard]] FileResult<bool> become_first() const {
    if (link(name_.c_str(), file_.c_str()) == 0) return true;
    if (errno == EEXIST) return false;
    return file_error(file_);
  }
  [[nodiscard]] FileResult<void> replace() const {
    if (rename(name_.c_str(), file_.c_str()) != 0) return file_error(file_);
    return {};
  }

 private:
  const std::string& file_;
  std::string name_;
};

}  // namespace

tl::unexpected<std::string> file_error(const std::string& file) {
  return file_error(file, std::strerror(errno));
}

tl::unexpected<std::string> file_error(const std::string& file, const std::string& what) {
  return tl::unexpected(file + ": " + what);
}

FileResult<std::optional<dtls::SecretBytes>> read_private_file(const std::string& file,
                                                               std::size_t max_size) {
  const udp::Descriptor present(open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!present.is_open() && errno == ENOENT) return std::nullopt;
  struct stat status{};
  if (!present.is_open() || fstat(present.number(), &status) != 0) return file_error(file);
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return file_error(file, "others have access to it; set its mode to 0600");
  }
  if (std::cmp_greater(status.st_size, max_size)) return file_error(file, "too large");
  dtls::Buffer contents(static_cast<std::size_t>(status.st_size));
  std::size_t size = 0;
  while (size < contents.size()) {
    const ssize_t part = read(present.number(), contents.data() + size, contents.size() - size);
    if (part < 0 && errno == EINTR) continue;
    if (part < 0) return file_error(file);
    if (part == 0) break;
    size += static_cast<std::size_t>(part);
  }
  contents.resize(size);
  return dtls::SecretBytes(std::move(contents));
}

FileResult<bool> make_private_file(const std::string& file, dtls::Bytes bytes) {
  const Draft draft(file);
  if (auto written = draft.write(bytes, Durability::machine); !written) {
    return tl::unexpected(written.error());
  }
  return draft.become_first();
}

FileResult<void> replace_private_file(const std::string& file, dtls::Bytes bytes,
                                      Durability durability) {
  const Draft draft(file);
  if (auto written = draft.write(bytes, durability); !written) return written;
  if (auto replaced = draft.replace(); !replaced) return replaced;
  if (durability == Durability::process) return {};
  const auto folder = std::filesystem::absolute(file).parent_path();
  const udp::Descriptor opened(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened.is_open() || fsync(opened.number()) != 0) return file_error(file);
  return {};
}

FileResult<udp::Descriptor> try_lock_file(const std::string& file) {
  udp::Descriptor opened(open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!opened.is_open()) return file_error(file);
  if (flock(opened.number(), LOCK_EX | LOCK_NB) == 0) return opened;
  if (errno == EWOULDBLOCK) return udp::Descriptor();
  return file_error(file);
}

}  // namespace sluice::interop::common
