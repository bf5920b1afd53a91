// Paths of connections besides those that their datagrams come from now.
#pragma once

#include <algorithm>
#include <array>
#include <unordered_map>

#include <sluice/dtls/path.h>

#include "endpoint/slot_index.h"

namespace sluice::dtls::endpoint {

// A connection numbers its paths with PathIds of its own. Its slot has the present path; the others
// that it may still send to are here. A connection that has had one path only takes no memory.
class OtherPaths {
 public:
  // Per connection. Another one replaces the oldest.
  static constexpr std::size_t kMost = 2;

  void add(SlotNumber connection, PathId id, const UdpPath& path) {
    Entries& entries = of_connections_[connection];
    std::ranges::rotate(entries, entries.end() - 1);
    entries.front() = {id, path, true};
  }
  // Null: unknown, or replaced.
  [[nodiscard]] const UdpPath* find(SlotNumber connection, PathId id) const {
    const auto found = of_connections_.find(connection);
    if (found == of_connections_.end()) return nullptr;
    for (const Entry& entry : found->second) {
      if (entry.is_used && entry.id == id) return &entry.path;
    }
    return nullptr;
  }
  void remove(SlotNumber connection) { of_connections_.erase(connection); }

  // Connections that have an entry.
  [[nodiscard]] std::size_t size() const { return of_connections_.size(); }

 private:
  struct Entry {
    PathId id{};
    UdpPath path;
    bool is_used = false;
  };
  using Entries = std::array<Entry, kMost>;

  std::unordered_map<SlotNumber, Entries> of_connections_;
};

}  // namespace sluice::dtls::endpoint
