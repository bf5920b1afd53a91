#include <utility>

#include <sluice/dtls/psk_table.h>

namespace sluice::dtls {

void PskTable::add(PreSharedKey key) {
  const Bytes identity = key.identity();
  keys_.insert_or_assign(Buffer(identity.begin(), identity.end()), std::move(key));
}

bool PskTable::remove(Bytes identity) {
  return keys_.erase(Buffer(identity.begin(), identity.end())) > 0;
}

std::optional<PreSharedKey> PskTable::find(Bytes identity) const {
  const auto found = keys_.find(Buffer(identity.begin(), identity.end()));
  return found != keys_.end() ? std::optional(found->second) : std::nullopt;
}

PskRequested::Answer PskTable::answer(const PskRequested& asked) const {
  for (std::size_t i = 0; i < asked.identities.size(); ++i) {
    if (auto key = find(asked.identities[i])) return UsePsk{i, *std::move(key)};
  }
  return NoPsk{};
}

}  // namespace sluice::dtls
