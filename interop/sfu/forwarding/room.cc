#include "sfu/forwarding/room.h"

#include <algorithm>

namespace sluice::interop::sfu {

void Room::add(Publisher& publisher, MediaPort& port, dtls::Instant now) {
  publishers_.push_back(&publisher);
  for (Viewer* viewer : viewers_) viewer->seat(publisher, port, now);
}

void Room::remove(Publisher& publisher, MediaPort& port, dtls::Instant now) {
  std::erase(publishers_, &publisher);
  idle_since_ = now;
  for (Viewer* viewer : viewers_) {
    viewer->leave(publisher);
    for (Publisher* other : publishers_) viewer->seat(*other, port, now);
  }
}

void Room::add(Viewer& viewer, MediaPort& port, dtls::Instant now) {
  viewers_.push_back(&viewer);
  for (Publisher* publisher : publishers_) viewer.seat(*publisher, port, now);
}

void Room::remove(Viewer& viewer) {
  std::erase(viewers_, &viewer);
  for (Publisher* publisher : publishers_) viewer.leave(*publisher);
}

bool Room::has_media_for(const Viewer& viewer) const {
  return std::ranges::any_of(publishers_, [&](Publisher* each) { return viewer.can_watch(*each); });
}

std::vector<const Format*> Room::formats() const {
  std::vector<const Format*> all;
  for (const Publisher* publisher : publishers_) {
    for (const Track& track : publisher->tracks()) {
      if (std::ranges::find(all, &track.format()) == all.end()) all.push_back(&track.format());
    }
  }
  return all;
}

}  // namespace sluice::interop::sfu
