#include "demo/state_file.h"

#include <poll.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <span>
#include <string_view>
#include <utility>

#include "common/private_file.h"
#include "demo/stored_numbers.h"

namespace sluice::interop::demo {
namespace {

constexpr std::string_view kKeyMagic = "sluice state key 1\n";
constexpr std::size_t kKeyFile = kKeyMagic.size() + 4 + dtls::StateKeys::kKeySize;
// Far above what 1000 calls take.
constexpr std::size_t kMaxState = std::size_t{64} << 20;
// How often the lock is tried while another process has it.
constexpr int kRetryMs = 2;

// What the state is, for StateKeys.
Bytes context() { return std::as_bytes(std::span(std::string_view("sluice-demo: calls"))); }

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
  if (!is_key) return common::file_error(file, "no key of sluice-demo, or of another version");
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
      new StateFile(std::move(options.file), std::move(boot), *std::move(environment)));
  if (auto read = read_key(options.key_file, made->keys_); !read) {
    return tl::unexpected(read.error());
  }
  for (bool is_told = false;; is_told = true) {
    auto lock = common::try_lock_file(options.key_file);
    if (!lock) return tl::unexpected(lock.error());
    made->lock_ = *std::move(lock);
    if (made->lock_.is_open()) return made;
    if (!is_told) std::clog << options.key_file + ": waiting for the server that has it\n";
    pollfd stopped{.fd = stop.descriptor(), .events = POLLIN, .revents = 0};
    if (poll(&stopped, 1, kRetryMs) > 0) return nullptr;
  }
}

tl::expected<std::optional<dtls::SecretBytes>, std::string> StateFile::take() {
  const auto sealed = common::read_private_file(file_, kMaxState);
  if (!sealed) return tl::unexpected(sealed.error());
  if (!*sealed) return std::nullopt;
  auto calls = keys_.open(environment_, (*sealed)->bytes(), context());
  if (!calls) return common::file_error(file_, dtls::to_string(calls.error()));
  if (unlink(file_.c_str()) != 0) return common::file_error(file_);
  const Bytes contents = calls->bytes();
  const auto boot = std::as_bytes(std::span(boot_));
  if (contents.size() < boot.size() || !std::ranges::equal(contents.first(boot.size()), boot)) {
    std::clog << file_ + ": from before the machine was started\n";
    return std::nullopt;
  }
  const Bytes rest = contents.subspan(boot.size());
  return dtls::SecretBytes(Buffer(rest.begin(), rest.end()));
}

tl::expected<void, std::string> StateFile::put(Bytes calls) {
  Buffer contents;
  contents.reserve(boot_.size() + calls.size());
  append(contents, std::as_bytes(std::span(boot_)));
  append(contents, calls);
  const auto sealed =
      keys_.seal(environment_, dtls::SecretBytes(std::move(contents)).bytes(), context());
  if (!sealed) return tl::unexpected(dtls::to_string(sealed.error()));
  return common::replace_private_file(file_, *sealed, common::Durability::process);
}

}  // namespace sluice::interop::demo
