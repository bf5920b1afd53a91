// The paths of connections besides their present ones.
#pragma once

#include <algorithm>
#include <unordered_map>
#include <vector>

#include <sluice/dtls/path.h>

#include "endpoint/tables.h"

namespace sluice::dtls::endpoint {

// The paths of a connection have PathIds. Its slot has the present path; the former ones, to which
// it may still send, and those that its peer may be moving to are here. A connection takes memory
// only as long as it has such paths.
class OtherPaths {
 public:
  // Of one connection. Another one replaces that which was kept longest ago.
  static constexpr std::size_t kMost = 3;

  // The number of a path that is not the present one: a new number if the path is not kept. Numbers
  // of paths that are not kept any longer are given again.
  [[nodiscard]] PathId number_of(SlotNumber connection, const UdpPath& path, PathId present) const {
    auto next = static_cast<std::uint32_t>(present);
    for (const Other& other : others_of(connection)) {
      if (other.path == path) return other.number;
      next = std::max(next, static_cast<std::uint32_t>(other.number));
    }
    return PathId{next + 1};
  }
  // Null: the path is not kept.
  [[nodiscard]] const UdpPath* find(SlotNumber connection, PathId number) const {
    for (const Other& other : others_of(connection)) {
      if (other.number == number) return &other.path;
    }
    return nullptr;
  }

  void keep(SlotNumber connection, PathId number, const UdpPath& path) {
    std::vector<Other>& others = of_connections_[connection];
    std::erase_if(others, [&](const Other& other) { return other.number == number; });
    if (others.size() == kMost) others.pop_back();
    others.insert(others.begin(), Other{path, number});
  }
  // The path of this number becomes the present one, and the present path one of these.
  void exchange(SlotNumber connection, PathId number, PathId present, const UdpPath& path) {
    drop(connection, number);
    keep(connection, present, path);
  }
  void drop(SlotNumber connection, PathId number) {
    const auto found = of_connections_.find(connection);
    if (found == of_connections_.end()) return;
    std::erase_if(found->second, [&](const Other& other) { return other.number == number; });
    if (found->second.empty()) of_connections_.erase(found);
  }
  void drop_all(SlotNumber connection) { of_connections_.erase(connection); }

  [[nodiscard]] bool has_any(SlotNumber connection) const {
    return of_connections_.contains(connection);
  }
  // Connections with other paths.
  [[nodiscard]] std::size_t size() const { return of_connections_.size(); }

 private:
  struct Other {
    UdpPath path;
    PathId number{};
  };
  using Others = std::vector<Other>;  // the newest first

  [[nodiscard]] const Others& others_of(SlotNumber connection) const {
    static const Others kNone;
    const auto found = of_connections_.find(connection);
    return found == of_connections_.end() ? kNone : found->second;
  }

  std::unordered_map<SlotNumber, Others> of_connections_;
};

}  // namespace sluice::dtls::endpoint
