// The paths that ICE has validated, and the association that each belongs to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <sluice/dtls/connection.h>

namespace sluice::transport {

// The number of an association in its transport: restart() begins the next.
enum class Generation : std::uint32_t {};

class PathTable {
 public:
  explicit PathTable(std::size_t max_paths) : max_paths_(max_paths) {}

  // A path that is known moves to `generation`. False when there are too many paths.
  bool add(dtls::PathId path, Generation generation);
  void remove(dtls::PathId path);
  // Empty for a path that isn't known.
  [[nodiscard]] std::optional<Generation> generation_of(dtls::PathId path) const;
  [[nodiscard]] std::vector<dtls::PathId> paths_of(Generation generation) const;
  [[nodiscard]] bool knows(dtls::PathId path) const { return generation_of(path).has_value(); }

 private:
  struct Entry {
    dtls::PathId path;
    Generation generation;
  };

  std::size_t max_paths_;
  std::vector<Entry> entries_;
};

}  // namespace sluice::transport
