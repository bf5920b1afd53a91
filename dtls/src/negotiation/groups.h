// Which groups a connection can use.
#pragma once

#include <algorithm>
#include <array>

#include <sluice/dtls/config.h>

namespace sluice::dtls::crypto {
class Library;
}

namespace sluice::dtls::handshake {

// In order of preference, each once. In place: a Listener allocates nothing.
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
  std::array<NamedGroup, 4> groups_{};  // all that NamedGroup has
  std::size_t size_ = 0;
};

// Whether messages of this version have a place for the group's shares.
bool is_of_version(NamedGroup group, ProtocolVersion version);

// Those of the Config, or its role's defaults, without those that `highest` and the versions below
// it have no use for and those that libcrypto doesn't have.
Groups usable_groups(const ConfigOptions& config, const crypto::Library& library, Role role,
                     ProtocolVersion highest);

}  // namespace sluice::dtls::handshake
