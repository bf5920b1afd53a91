#include "tools/key_file.h"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>
#include <utility>

#include "common/private_file.h"

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

tl::expected<KeySet, std::string> decode_keys_of(const std::string& file, dtls::Bytes contents) {
  auto keys = decode_keys(contents);
  if (!keys) return common::file_error(file, keys.error());
  return keys;
}

tl::expected<KeySet, std::string> read_keys(const std::string& file) {
  const auto present = common::read_private_file(file, kMaxKeyFile);
  if (!present) return tl::unexpected(present.error());
  if (!*present) return common::file_error(file, "it is gone");
  return decode_keys_of(file, (*present)->bytes());
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
  const auto present = common::read_private_file(file, kMaxKeyFile);
  if (!present) return tl::unexpected(present.error());
  if (*present) return decode_keys_of(file, (*present)->bytes());
  auto keys = make();
  if (!keys) return keys;
  const auto is_ours = common::make_private_file(file, encode(*keys).bytes());
  if (!is_ours) return tl::unexpected(is_ours.error());
  if (*is_ours) return keys;
  return read_keys(file);
}

tl::expected<void, std::string> change_keys(
    const std::string& file, const std::function<ChangedKeys(KeySet present)>& change) {
  // A symbolic link stays, and what it leads to is replaced.
  std::error_code error;
  const auto path = std::filesystem::canonical(file, error);
  if (error) return common::file_error(file, error.message());
  // The lock is on the folder, because the file is another one afterwards.
  const udp::Descriptor folder(
      open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.is_open() || flock(folder.number(), LOCK_EX) != 0) return common::file_error(file);
  auto present = read_keys(path.string());
  if (!present) return tl::unexpected(present.error());
  const auto changed = change(*std::move(present));
  if (!changed) return common::file_error(file, changed.error());
  if (!*changed) return {};
  return common::replace_private_file(path.string(), encode(**changed).bytes());
}

}  // namespace sluice::interop::tools
