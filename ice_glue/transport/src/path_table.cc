#include "path_table.h"

#include <algorithm>

namespace sluice::transport {

bool PathTable::add(dtls::PathId path, Generation generation) {
  const auto known = std::ranges::find(entries_, path, &Entry::path);
  if (known != entries_.end()) {
    known->generation = generation;
    return true;
  }
  if (entries_.size() == max_paths_) return false;
  entries_.push_back({path, generation});
  return true;
}

void PathTable::remove(dtls::PathId path) {
  std::erase_if(entries_, [path](const Entry& entry) { return entry.path == path; });
}

std::vector<dtls::PathId> PathTable::paths_of(Generation generation) const {
  std::vector<dtls::PathId> paths;
  for (const Entry& entry : entries_) {
    if (entry.generation == generation) paths.push_back(entry.path);
  }
  return paths;
}

std::optional<Generation> PathTable::generation_of(dtls::PathId path) const {
  const auto known = std::ranges::find(entries_, path, &Entry::path);
  return known != entries_.end() ? std::optional(known->generation) : std::nullopt;
}

}  // namespace sluice::transport
