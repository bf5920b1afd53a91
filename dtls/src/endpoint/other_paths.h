// The paths of connections besides their present ones.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <unordered_map>

#include <sluice/dtls/path.h>

#include "endpoint/slot_index.h"

namespace sluice::dtls::endpoint {

// A connection counts its paths: the numbers are its PathIds, from 0. Its slot has the present
// path; the former ones, to which it may still send, are here. A connection that has had one path
// only takes no memory.
class OtherPaths {
 public:
  // Former paths of one connection. Another one replaces the oldest.
  static constexpr std::size_t kMost = 2;

  // The connection leaves `former`. Returns the PathId of its next path.
  PathId move(SlotNumber connection, const UdpPath& former) {
    Known& known = of_connections_[connection];
    std::ranges::rotate(known.paths, known.paths.end() - 1);
    known.paths.front() = former;
    return PathId{++known.present};
  }
  // A former path. Null if `id` is the present path or unknown.
  [[nodiscard]] const UdpPath* find(SlotNumber connection, PathId id) const {
    const auto found = of_connections_.find(connection);
    if (found == of_connections_.end()) return nullptr;
    const Known& known = found->second;
    // 1: the path before the present one.
    const std::uint32_t age = known.present - static_cast<std::uint32_t>(id);
    const bool is_known = age >= 1 && age <= kMost && age <= known.present;
    return is_known ? &known.paths[age - 1] : nullptr;
  }
  void remove(SlotNumber connection) { of_connections_.erase(connection); }

  // Connections that have moved.
  [[nodiscard]] std::size_t size() const { return of_connections_.size(); }

 private:
  struct Known {
    std::array<UdpPath, kMost> paths;  // the newest first
    std::uint32_t present = 0;
  };

  std::unordered_map<SlotNumber, Known> of_connections_;
};

}  // namespace sluice::dtls::endpoint
