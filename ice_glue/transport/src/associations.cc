#include "associations.h"

#include <cstdint>
#include <utility>

namespace sluice::transport {

Association& Associations::begin_newest(dtls::Connection connection) {
  return newest_.emplace(std::move(connection), generation_);
}

void Associations::retire_newest(PreviousAssociation::Times times) {
  previous_ = std::make_unique<PreviousAssociation>(std::move(*newest_), times);
  newest_.reset();
}

void Associations::start_generation() {
  newest_.reset();
  generation_ = Generation{static_cast<std::uint32_t>(generation_) + 1};
}

void Associations::end(Instant now) {
  if (newest_) newest_->end_media();
  if (previous_) previous_->leave(now);
}

// ---- paths

bool Associations::add_path(PathId path) {
  if (!paths_.add(path, generation_)) return false;
  if (selected_ == path) selected_generation_ = generation_;
  return true;
}

bool Associations::select(PathId path) {
  if (!paths_.knows(path) && !add_path(path)) return false;
  selected_ = path;
  selected_generation_ = *paths_.generation_of(path);
  return true;
}

void Associations::remove_path(PathId path) {
  paths_.remove(path);
  if (selected_ == path) selected_.reset();
}

std::optional<PathId> Associations::selected_for_newest() const {
  return selected_generation_ == generation_ ? selected_ : std::nullopt;
}

bool Associations::previous_takes(Generation generation, PacketClass packet_class) const {
  if (!previous_) return false;
  // After several restarts in a row the previous association is the last that was connected; media
  // may come over the paths of those that never were.
  return packet_class == PacketClass::rtp || previous_->association().generation() == generation;
}

Association* Associations::association_of(PathId path) {
  const auto generation = generation_of(path);
  if (!generation) return nullptr;
  if (generation == generation_) return newest();
  if (previous_ && previous_->association().generation() == generation) {
    return &previous_->association();
  }
  return nullptr;
}

std::optional<PathId> Associations::sending_path() const {
  if (previous_ && previous_->sends()) {
    const auto& association = previous_->association();
    if (may_transmit(association)) return association.connection().path();
    return selected_;
  }
  if (!newest_connected()) return selected_;
  // ICE may still have selected a path of the previous association, where the peer has no use for
  // the new keys (RFC 8842 section 4).
  if (const auto selected = selected_for_newest()) return selected;
  if (may_transmit(*newest_)) return newest_->connection().path();
  return std::nullopt;
}

// ---- outputs

bool Associations::may_transmit(const Association& association) const {
  return paths_.generation_of(association.connection().path()) == association.generation();
}

std::optional<dtls::Transmit> Associations::poll_transmit(MutableBytes out,
                                                          std::optional<PathId> only) {
  const auto poll = [&](Association& association) -> std::optional<dtls::Transmit> {
    auto& connection = association.connection();
    if (!may_transmit(association) || (only && *only != connection.path())) return std::nullopt;
    return connection.poll_transmit(out);
  };
  if (previous_) {
    if (auto transmit = poll(previous_->association())) return transmit;
  }
  return newest_ ? poll(*newest_) : std::nullopt;
}

std::optional<MutableBytes> Associations::poll_data() {
  if (previous_) {
    if (auto data = previous_->association().connection().poll_data()) return data;
  }
  return newest_ ? newest_->connection().poll_data() : std::nullopt;
}

std::optional<Instant> Associations::next_timeout() const {
  auto next = newest_ ? newest_->connection().next_timeout() : std::nullopt;
  const auto other = previous_ ? previous_->next_timeout() : std::nullopt;
  if (other && (!next || *other < *next)) next = other;
  return next;
}

}  // namespace sluice::transport
