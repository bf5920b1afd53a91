// A room: who publishes in it and who watches.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sfu/data/room_data.h"
#include "sfu/forwarding/publisher.h"
#include "sfu/forwarding/viewer.h"

namespace sluice::interop::sfu {

// Each viewer sees as many publishers as it has seats, those first that came first. Members outlive
// their membership.
class Room {
 public:
  // Nobody publishes since then.
  Room(std::string name, dtls::Instant idle_since)
      : name_(std::move(name)), data_{.room = name_}, idle_since_(idle_since) {}

  void add(Publisher& publisher, MediaPort& port, dtls::Instant now);
  // Another publisher may take its seats.
  void remove(Publisher& publisher, MediaPort& port, dtls::Instant now);
  void add(Viewer& viewer, MediaPort& port, dtls::Instant now);
  void remove(Viewer& viewer);

  // Whether a viewer that comes now would get anything.
  [[nodiscard]] bool has_media_for(const Viewer& viewer) const;
  // What is published, each format once.
  [[nodiscard]] std::vector<const Format*> formats() const;
  [[nodiscard]] const std::string& name() const { return name_; }
  // Of those that have data channels.
  [[nodiscard]] RoomData& data() { return data_; }
  // In the order in which they came.
  [[nodiscard]] const std::vector<Publisher*>& all_publishers() const { return publishers_; }
  [[nodiscard]] const std::vector<Viewer*>& all_viewers() const { return viewers_; }
  [[nodiscard]] std::size_t publishers() const { return publishers_.size(); }
  [[nodiscard]] std::size_t viewers() const { return viewers_.size(); }
  // Since when nobody publishes; empty: somebody does.
  [[nodiscard]] std::optional<dtls::Instant> idle_since() const {
    return publishers_.empty() ? std::optional(idle_since_) : std::nullopt;
  }

 private:
  std::string name_;
  std::vector<Publisher*> publishers_;  // in the order in which they came
  std::vector<Viewer*> viewers_;
  RoomData data_;
  dtls::Instant idle_since_;
};

}  // namespace sluice::interop::sfu
