#include "common/state/state_file.h"

#include <poll.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <span>
#include <string_view>
#include <utility>

#include "common/private_file.h"
#include "common/state/stored_numbers.h"

namespace sluice::interop {
namespace {

using dtls::Buffer;
using dtls::Bytes;

constexpr std::string_view kKeyMagic = "sluice state key 1\n";
constexpr std::size_t kKeyFile = kKeyMagic.size() + 4 + dtls::StateKeys::kKeySize;
// Far above what 10,000 sessions take.
constexpr std::size_t kMaxState = std::size_t{256} << 20;
// How often the lock is tried while another process has it.
constexpr int kRetryMs = 2;

// For StateKeys.
Bytes context(const StateFileOptions& options) { return std::as_bytes(std::span(options.content)); }

tl::expected<dtls::SecretBytes, std::string> make_key_file(const std::string& file) {
  Buffer contents(kKeyFile);
  std::ranges::copy(std::as_bytes(std::span(kKeyMagic)), contents.begin());
  const auto random = dtls::MutableBytes(contents).subspan(kKeyMagic.size());
  if (getentropy(random.data(), random.size()) != 0) return common::file_error(file);
  dtls::SecretBytes key(std::move(contents));
  const auto made = common::make_private_file(file, key.bytes());
  if (!made) return tl::unexpected(made.error());
  if (*made) return key;
  // Another process was faster.
  auto theirs = common::read_private_file(file, kKeyFile);
  if (!theirs) return tl::unexpected(theirs.error());
  if (!*theirs) return common::file_error(file, "it is gone");
  return **std::move(theirs);
}

tl::expected<void, std::string> read_key(const std::string& file, dtls::StateKeys& keys) {
  auto present = common::read_private_file(file, kKeyFile);
  if (!present) return tl::unexpected(present.error());
  if (!*present) {
    auto made = make_key_file(file);
    if (!made) return tl::unexpected(made.error());
    present = std::optional(*std::move(made));
  }
  const Bytes contents = (*present)->bytes();
  const bool is_key =
      contents.size() == kKeyFile &&
      std::ranges::equal(contents.first(kKeyMagic.size()), std::as_bytes(std::span(kKeyMagic)));
  if (!is_key) return common::file_error(file, "no key of this program, or of another version");
  const auto added = keys.add(dtls::StateKeyId{load_u32(contents, kKeyMagic.size())},
                              contents.subspan(kKeyMagic.size() + 4));
  if (!added) return common::file_error(file, dtls::to_string(added.error()));
  return {};
}

}  // namespace

tl::expected<std::unique_ptr<StateFile>, std::string> StateFile::open(
    StateFileOptions options, const common::StopSignals& stop) {
  auto environment = dtls::Environment::make();
  if (!environment) return tl::unexpected(dtls::to_string(environment.error()));
  std::ifstream boot_id("/proc/sys/kernel/random/boot_id");
  std::string boot;
  if (!std::getline(boot_id, boot)) return tl::unexpected<std::string>("no boot ID");
  std::unique_ptr<StateFile> made(
      new StateFile(std::move(options), std::move(boot), *std::move(environment)));
  const std::string& key_file = made->options_.key_file;
  if (auto read = read_key(key_file, made->keys_); !read) {
    return tl::unexpected(read.error());
  }
  for (bool is_told = false;; is_told = true) {
    auto lock = common::try_lock_file(key_file);
    if (!lock) return tl::unexpected(lock.error());
    made->lock_ = *std::move(lock);
    if (made->lock_.is_open()) return made;
    if (!is_told) {
      made->tell(key_file + ": waiting for the server that has it");
      if (made->options_.on_wait) made->options_.on_wait();
    }
    pollfd stopped{.fd = stop.descriptor(), .events = POLLIN, .revents = 0};
    if (poll(&stopped, 1, kRetryMs) > 0) return nullptr;
  }
}

void StateFile::tell(const std::string& what) const {
  if (options_.tell) options_.tell(what);
}

tl::expected<std::optional<dtls::SecretBytes>, std::string> StateFile::take() {
  const std::string& file = options_.file;
  const auto sealed = common::read_private_file(file, kMaxState);
  if (!sealed) return tl::unexpected(sealed.error());
  if (!*sealed) return std::nullopt;
  auto state = keys_.open(environment_, (*sealed)->bytes(), context(options_));
  if (!state) return common::file_error(file, dtls::to_string(state.error()));
  if (unlink(file.c_str()) != 0) return common::file_error(file);
  const Bytes contents = state->bytes();
  const auto boot = std::as_bytes(std::span(boot_));
  if (contents.size() < boot.size() || !std::ranges::equal(contents.first(boot.size()), boot)) {
    tell(file + ": from before the machine was started");
    return std::nullopt;
  }
  const Bytes rest = contents.subspan(boot.size());
  return dtls::SecretBytes(Buffer(rest.begin(), rest.end()));
}

tl::expected<void, std::string> StateFile::put(Bytes state) {
  Buffer contents;
  contents.reserve(boot_.size() + state.size());
  append(contents, std::as_bytes(std::span(boot_)));
  append(contents, state);
  const auto sealed =
      keys_.seal(environment_, dtls::SecretBytes(std::move(contents)).bytes(), context(options_));
  if (!sealed) return tl::unexpected(dtls::to_string(sealed.error()));
  return common::replace_private_file(options_.file, *sealed, common::Durability::process);
}

}  // namespace sluice::interop
