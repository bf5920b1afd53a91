#include "tools/key_rotation.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "tools/key_file.h"

namespace sluice::interop::tools {
namespace {

bool are_same(const dtls::SecretBytes& one, const dtls::SecretBytes& other) {
  return std::ranges::equal(one.bytes(), other.bytes());
}

dtls::SecretBytes copy_of(const dtls::SecretBytes& secret) {
  return dtls::SecretBytes(dtls::Buffer(secret.bytes().begin(), secret.bytes().end()));
}

}  // namespace

KeyRotation::KeyRotation(std::string file, std::shared_ptr<dtls::TicketKeys> keys,
                         dtls::SecretBytes stored, Report report)
    : file_(std::move(file)),
      keys_(std::move(keys)),
      stored_(std::move(stored)),
      report_(std::move(report)),
      due_(keys_->next_rotation().value_or(dtls::Instant::min())) {}

bool KeyRotation::keep(dtls::Environment& environment, dtls::Instant now) {
  if (now < due_) return false;
  const auto is_written = agree(environment, now);
  if (!is_written) {
    ++failures_;
    report_("new ticket keys are not in the file: " + is_written.error());
    due_ = now + kRetry;
    return false;
  }
  due_ = keys_->next_rotation().value_or(now);
  return *is_written;
}

tl::expected<bool, std::string> KeyRotation::agree(dtls::Environment& environment,
                                                   dtls::Instant now) {
  dtls::SecretBytes fresh;
  const auto changed = change_keys(file_, [&](KeySet present) -> ChangedKeys {
    if (!are_same(present.ticket_keys, stored_)) {
      const auto imported = keys_->import_keys(environment, present.ticket_keys.bytes());
      if (!imported) return tl::unexpected(to_string(imported.error()));
      stored_ = copy_of(present.ticket_keys);
    }
    auto exported = keys_->export_keys(environment, now);
    if (!exported) return tl::unexpected(to_string(exported.error()));
    if (are_same(*exported, stored_)) return std::nullopt;
    fresh = copy_of(*exported);
    present.ticket_keys = *std::move(exported);
    return present;
  });
  if (!changed) return tl::unexpected(changed.error());
  if (fresh.empty()) return false;
  stored_ = std::move(fresh);
  return true;
}

}  // namespace sluice::interop::tools
