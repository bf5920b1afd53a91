#include "tools/key_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <span>
#include <string_view>
#include <utility>

#include "common/random_numbers.h"

namespace sluice::interop::tools {
namespace {

constexpr std::string_view kMagic = "sluice keys 1\n";
// Far above what a KeySet takes.
constexpr std::size_t kMaxKeyFile = 4096;

void put_number(dtls::Buffer& out, std::uint32_t value, std::size_t size) {
  while (size-- > 0) out.push_back(static_cast<std::byte>(value >> 8 * size & 0xff));
}

void put_sized(dtls::Buffer& out, dtls::Bytes bytes) {
  put_number(out, static_cast<std::uint32_t>(bytes.size()), 2);
  out.insert(out.end(), bytes.begin(), bytes.end());
}

// Takes the parts off the front of the bytes. After a part that is missing all are empty.
class KeyReader {
 public:
  explicit KeyReader(dtls::Bytes bytes) : rest_(bytes) {}

  dtls::Bytes take(std::size_t size) {
    is_ok_ = is_ok_ && size <= rest_.size();
    if (!is_ok_) return {};
    const dtls::Bytes taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }
  std::uint32_t number(std::size_t size) {
    std::uint32_t value = 0;
    for (const std::byte byte : take(size)) {
      value = value << 8 | std::to_integer<std::uint32_t>(byte);
    }
    return value;
  }
  dtls::SecretBytes secret(std::size_t size) {
    const dtls::Bytes taken = take(size);
    return dtls::SecretBytes(dtls::Buffer(taken.begin(), taken.end()));
  }
  [[nodiscard]] bool is_complete() const { return is_ok_ && rest_.empty(); }

 private:
  dtls::Bytes rest_;
  bool is_ok_ = true;
};

class OpenFile {
 public:
  explicit OpenFile(int descriptor) : descriptor_(descriptor) {}
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() {
    if (descriptor_ >= 0) close(descriptor_);
  }

  [[nodiscard]] int get() const { return descriptor_; }

 private:
  int descriptor_;
};

tl::unexpected<std::string> key_file_error(const std::string& file, const std::string& what) {
  return tl::unexpected(file + ": " + what);
}

tl::unexpected<std::string> system_error(const std::string& file) {
  return key_file_error(file, std::strerror(errno));
}

tl::expected<KeySet, std::string> read_keys(const std::string& file, int descriptor) {
  struct stat status{};
  if (fstat(descriptor, &status) != 0) return system_error(file);
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return key_file_error(file, "others have access to it; set its mode to 0600");
  }
  dtls::Buffer contents(kMaxKeyFile);
  const ssize_t size = read(descriptor, contents.data(), contents.size());
  if (size < 0) return system_error(file);
  contents.resize(static_cast<std::size_t>(size));
  auto keys = decode_keys(dtls::SecretBytes(std::move(contents)).bytes());
  if (!keys) return key_file_error(file, keys.error());
  return keys;
}

tl::expected<KeySet, std::string> read_keys(const std::string& file) {
  const OpenFile present(open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (present.get() < 0) return system_error(file);
  return read_keys(file, present.get());
}

// A file beside `file` until it gets its name, so that `file` is whole or not there.
class Draft {
 public:
  explicit Draft(const std::string& file) : file_(file), name_(file + "." + common::random_id()) {}
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;
  ~Draft() { unlink(name_.c_str()); }

  tl::expected<void, std::string> write(dtls::Bytes bytes) const {
    const OpenFile made(open(name_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    const bool is_written = made.get() >= 0 &&
                            ::write(made.get(), bytes.data(), bytes.size()) == std::ssize(bytes) &&
                            fsync(made.get()) == 0;
    if (!is_written) return system_error(file_);
    return {};
  }
  // False: another process was faster.
  [[nodiscard]] tl::expected<bool, std::string> become_first() const {
    if (link(name_.c_str(), file_.c_str()) == 0) return true;
    if (errno == EEXIST) return false;
    return system_error(file_);
  }
  [[nodiscard]] tl::expected<void, std::string> replace() const {
    if (rename(name_.c_str(), file_.c_str()) != 0) return system_error(file_);
    return {};
  }

 private:
  const std::string& file_;
  std::string name_;
};

tl::expected<bool, std::string> make_file(const std::string& file, dtls::Bytes bytes) {
  const Draft draft(file);
  if (auto written = draft.write(bytes); !written) return tl::unexpected(written.error());
  return draft.become_first();
}

}  // namespace

dtls::SecretBytes encode(const KeySet& keys) {
  dtls::Buffer out;
  out.reserve(kMaxKeyFile);  // so that no copy stays behind
  const auto magic = std::as_bytes(std::span(kMagic));
  out.insert(out.end(), magic.begin(), magic.end());
  put_number(out, static_cast<std::uint32_t>(keys.state_key_id), 4);
  out.insert(out.end(), keys.state_key.bytes().begin(), keys.state_key.bytes().end());
  put_sized(out, keys.ticket_keys.bytes());
  put_sized(out, keys.cookie_secret.bytes());
  return dtls::SecretBytes(std::move(out));
}

tl::expected<KeySet, std::string> decode_keys(dtls::Bytes bytes) {
  KeyReader reader(bytes);
  if (!std::ranges::equal(reader.take(kMagic.size()), std::as_bytes(std::span(kMagic)))) {
    return tl::unexpected<std::string>("no keys of sluice-dtls-server, or of another version");
  }
  KeySet keys;
  keys.state_key_id = static_cast<dtls::StateKeyId>(reader.number(4));
  keys.state_key = reader.secret(dtls::StateKeys::kKeySize);
  keys.ticket_keys = reader.secret(reader.number(2));
  keys.cookie_secret = reader.secret(reader.number(2));
  if (!reader.is_complete()) return tl::unexpected<std::string>("too short or too long");
  return keys;
}

tl::expected<KeySet, std::string> read_or_make_keys(
    const std::string& file, const std::function<tl::expected<KeySet, std::string>()>& make) {
  {
    const OpenFile present(open(file.c_str(), O_RDONLY | O_CLOEXEC));
    if (present.get() >= 0) return read_keys(file, present.get());
    if (errno != ENOENT) return system_error(file);
  }
  auto keys = make();
  if (!keys) return keys;
  const auto is_ours = make_file(file, encode(*keys).bytes());
  if (!is_ours) return tl::unexpected(is_ours.error());
  if (*is_ours) return keys;
  return read_keys(file);
}

tl::expected<void, std::string> change_keys(
    const std::string& file, const std::function<ChangedKeys(KeySet present)>& change) {
  // A symbolic link stays, and what it leads to is replaced.
  std::error_code error;
  const auto path = std::filesystem::canonical(file, error);
  if (error) return key_file_error(file, error.message());
  // The lock is on the folder, because the file is another one afterwards.
  const OpenFile folder(open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() < 0 || flock(folder.get(), LOCK_EX) != 0) return system_error(file);
  auto present = read_keys(path.string());
  if (!present) return tl::unexpected(present.error());
  const auto changed = change(*std::move(present));
  if (!changed) return key_file_error(file, changed.error());
  if (!*changed) return {};
  const std::string name = path.string();
  const Draft draft(name);
  if (auto written = draft.write(encode(**changed).bytes()); !written) return written;
  if (auto replaced = draft.replace(); !replaced) return replaced;
  if (fsync(folder.get()) != 0) return system_error(file);
  return {};
}

}  // namespace sluice::interop::tools
