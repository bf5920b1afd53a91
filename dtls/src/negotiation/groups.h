// The groups that a connection can use.
#pragma once

#include <algorithm>
#include <array>

#include <sluice/dtls/config.h>

namespace sluice::dtls::crypto {
class Library;
}

namespace sluice::dtls::handshake {

// In order of preference, each once. Stored in place, because a Listener must not allocate.
class Groups {
 public:
  void add(NamedGroup group) {
    if (size_ < groups_.size() && std::ranges::find(*this, group) == end())
      groups_[size_++] = group;
  }
  [[nodiscard]] const NamedGroup* begin() const { return groups_.data(); }
  [[nodiscard]] const NamedGroup* end() const { return groups_.data() + size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }

 private:
  std::array<NamedGroup, 4> groups_{};  // room for every NamedGroup
  std::size_t size_ = 0;
};

// Whether the version can use the group; DTLS 1.2 has no KEMs.
bool is_of_version(NamedGroup group, ProtocolVersion version);

// The groups of the Config, or the defaults of the role, that `highest` or a lower version can use
// and that libcrypto has.
Groups usable_groups(const ConfigOptions& config, const crypto::Library& library, Role role,
                     ProtocolVersion highest);

}  // namespace sluice::dtls::handshake
