// A transport's associations: the newest one, the one before a restart(), and the paths of both.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <sluice/transport/media_transport.h>

#include "association.h"
#include "path_table.h"
#include "previous_association.h"

namespace sluice::transport {

// A path belongs to the association that was the newest when ICE validated the path. Datagrams of
// two associations look alike, so the path is what tells them apart (RFC 8842 section 4).
class Associations {
 public:
  explicit Associations(std::size_t max_paths) : paths_(max_paths) {}

  // ---- associations

  // Null before the newest association has begun.
  [[nodiscard]] Association* newest() { return newest_ ? &*newest_ : nullptr; }
  [[nodiscard]] const Association* newest() const { return newest_ ? &*newest_ : nullptr; }
  [[nodiscard]] bool newest_connected() const { return newest_ && newest_->connected(); }
  // Null when there is none that still serves.
  [[nodiscard]] PreviousAssociation* previous() { return previous_.get(); }
  [[nodiscard]] const PreviousAssociation* previous() const { return previous_.get(); }

  Association& begin_newest(dtls::Connection connection);
  // Makes the newest association the previous one. An earlier previous one is dropped.
  void retire_newest(PreviousAssociation::Times times);
  // There is no newest association until begin_newest(). Paths validated from now on belong to it.
  void start_generation();
  void drop_previous() { previous_.reset(); }
  // No media passes any more; the previous association queues close_notify.
  void end(Instant now);

  // The association whose keys protect and seal now; null when none is connected.
  [[nodiscard]] const Association* sender() const {
    if (previous_ && previous_->sends()) return &previous_->association();
    return newest_connected() ? &*newest_ : nullptr;
  }
  [[nodiscard]] Association* sender() {
    return const_cast<Association*>(std::as_const(*this).sender());
  }

  // ---- paths

  // False when there are too many paths.
  bool add_path(PathId path);
  // Adds the path if it isn't known. False when there are too many paths.
  bool select(PathId path);
  void remove_path(PathId path);
  [[nodiscard]] std::optional<PathId> selected() const { return selected_; }
  // Of the newest association, in the order in which they came.
  [[nodiscard]] std::vector<PathId> newest_paths() const { return paths_.paths_of(generation_); }
  // The selected path, if it belongs to the newest association.
  [[nodiscard]] std::optional<PathId> selected_for_newest() const;

  // Empty for a path that isn't known.
  [[nodiscard]] std::optional<Generation> generation_of(PathId path) const {
    return path == selected_ ? selected_generation_ : paths_.generation_of(path);
  }
  [[nodiscard]] bool is_newest(Generation generation) const { return generation == generation_; }
  // Whether the previous association takes such packets from a path of this older generation.
  [[nodiscard]] bool previous_takes(Generation generation, PacketClass packet_class) const;
  // The only session whose keys media from this path may have. Null before it is made, for an
  // outdated path, and while there are two sessions.
  [[nodiscard]] srtp::Session* only_session(PathId path) {
    if (!newest_ || previous_ || generation_of(path) != generation_) return nullptr;
    return newest_->session_if_made();
  }
  // The association that a path belongs to; null when the path isn't known or its association is
  // gone.
  [[nodiscard]] Association* association_of(PathId path);
  // Where what sender() protects or seals goes.
  [[nodiscard]] std::optional<PathId> sending_path() const;

  // ---- outputs

  // Over any path, or over `only`.
  std::optional<dtls::Transmit> poll_transmit(MutableBytes out, std::optional<PathId> only = {});
  std::optional<MutableBytes> poll_data();
  [[nodiscard]] std::optional<Instant> next_timeout() const;

 private:
  // False when the path of the association is gone or belongs to another association.
  [[nodiscard]] bool may_transmit(const Association& association) const;

  PathTable paths_;
  std::optional<PathId> selected_;
  Generation selected_generation_{};  // as in paths_, where each packet would look for it
  Generation generation_{};           // of the newest association
  std::optional<Association> newest_;
  std::unique_ptr<PreviousAssociation> previous_;  // seldom there
};

}  // namespace sluice::transport
