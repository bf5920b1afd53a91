// How the sessions of an Sfu leave a process and go on in the next one.
#include <algorithm>
#include <iterator>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <sluice/ice_lite/session_state.h>

#include "common/lite/lite_port.h"
#include "sfu/restart/moved_sfu.h"
#include "sfu/sfu.h"

namespace sluice::interop::sfu {
namespace {

// The error says why its streams can't be made.
tl::expected<std::vector<ViewerStream>, std::string> restore_streams(const MovedSession& moved,
                                                                     dtls::Instant then) {
  std::vector<ViewerStream> streams;
  if (!moved.viewer) return streams;
  for (const MovedStream& each : moved.viewer->streams) {
    auto stream =
        rtp::ForwardedStream::restore(forward_options(each.agreed), each.stream, media_time(then));
    if (!stream) return tl::unexpected<std::string>("IDs that contradict each other");
    streams.push_back(
        {.agreed = each.agreed, .stream = *std::move(stream), .asked_rid = each.asked_rid});
  }
  return streams;
}

}  // namespace

// ---- out

// What can't move ends first, so that its viewers are given to others before they move. The session
// of a node ends with its publisher, also one of another node, which does not move.
MovedSfu Sfu::move_out(dtls::Instant now) {
  const auto end_if = [&](End why, auto&& is_meant) {
    for (auto next = sessions_.begin(); next != sessions_.end();) {
      const auto each = next++;
      if (is_meant(*each)) end(each, why, now);
    }
  };
  end_if(End::stopped,
         [&](const auto& each) { return port_.server.export_blocked(each.first).has_value(); });
  end_if(End::room_ended, [](const auto& each) {
    return each.second.viewer && each.second.viewer->has_lost_publisher();
  });
  MovedSfu moved;
  moved.sessions.reserve(sessions_.size());
  for (const auto& [name, room] : rooms_) {
    if (const auto idle = room->idle_since()) moved.idle_rooms.emplace(name, now - *idle);
  }
  std::unordered_map<const Publisher*, std::size_t> places;
  for (const ice_lite::SessionHandle handle : order_of_rooms()) {
    Session& session = sessions_.at(handle);
    const auto transport = port_.server.export_session(handle, now);
    if (!transport) {
      log(session, "session_lost", dtls::to_string(transport.error()));
      continue;
    }
    if (session.publisher) places.emplace(session.publisher.get(), moved.sessions.size());
    const auto place_of = [&](const Publisher& publisher) -> std::optional<std::size_t> {
      // Until what all workers leave is joined, seats name publishers by their numbers.
      if (mirrors_) return static_cast<std::size_t>(mirrors_->number_of(publisher));
      const auto place = places.find(&publisher);
      return place == places.end() ? std::nullopt : std::optional(place->second);
    };
    moved.sessions.push_back(move_out(session, *transport, place_of, now));
  }
  forget_all(now);
  return moved;
}

MovedSession Sfu::move_out(Session& session, const ice_lite::SessionState& transport,
                           const PlaceOfPublisher& place_of, dtls::Instant now) const {
  const dtls::Bytes bytes = transport.bytes();
  MovedSession moved{.id = session.id,
                     .address = session.address,
                     .room = session.room->name(),
                     .age = now - session.made_at,
                     .ice = session.ice.state(now),
                     .transport = dtls::SecretBytes(dtls::Buffer(bytes.begin(), bytes.end()))};
  if (session.publisher) {
    moved.publisher = session.publisher->state(now);
    if (mirrors_) {
      moved.publisher->number = static_cast<std::uint64_t>(mirrors_->number_of(*session.publisher));
    }
  }
  if (session.viewer) moved.viewer = session.viewer->move_out(place_of, now);
  if (session.data) moved.data = session.data->moved();
  return moved;
}

// Publishers of a room before its viewers, each in the order in which they came.
std::vector<ice_lite::SessionHandle> Sfu::order_of_rooms() const {
  std::unordered_map<const Publisher*, ice_lite::SessionHandle> publishing;
  for (const auto& [handle, session] : sessions_) {
    if (session.publisher) publishing.emplace(session.publisher.get(), handle);
  }
  std::vector<ice_lite::SessionHandle> order;
  order.reserve(sessions_.size());
  for (const auto& [name, room] : rooms_) {
    for (const Publisher* each : room->all_publishers()) {
      // A mirror is the session of another worker. Publishers of other nodes do not move: the next
      // process pulls them again.
      if (const auto found = publishing.find(each); found != publishing.end()) {
        order.push_back(found->second);
      }
    }
    for (const Viewer* each : room->all_viewers()) order.push_back(each->session());
  }
  return order;
}

// Peers of what has stayed are told; those of the others go on elsewhere.
void Sfu::forget_all(dtls::Instant now) {
  for (const auto& [handle, session] : sessions_) {
    static_cast<void>(port_.server.close(handle, now));
    if (mirrors_ && session.publisher) mirrors_->withdraw(*session.publisher);
  }
  while (!offers_.empty()) withdraw(offers_.begin(), now);
  sessions_.clear();
  if (mirrors_) mirrors_->forget_all();
  pulled_.clear();
  for (const auto& [name, room] : rooms_) directory_.release_room(name, worker_);
  rooms_.clear();
  handles_.clear();
}

// ---- in

std::size_t Sfu::move_in(const MovedSfu& moved, dtls::Duration away, dtls::Instant now) {
  std::vector<std::string> ids;  // of those that go on; empty: it does not
  const auto publisher_in = [&](std::size_t index) -> Publisher* {
    const Session* const other = index < ids.size() ? find(ids[index]) : nullptr;
    return other != nullptr ? other->publisher.get() : nullptr;
  };
  for (const MovedSession& each : moved.sessions) {
    const bool goes_on = move_in(each, moved.idle_of(each.room) + away, publisher_in, away, now);
    ids.push_back(goes_on ? each.id : std::string{});
  }
  return ids.size() - static_cast<std::size_t>(std::ranges::count(ids, std::string{}));
}

bool Sfu::move_in(const MovedSession& moved, dtls::Duration idle,
                  const PublisherInPlace& publisher_in, dtls::Duration away, dtls::Instant now) {
  const auto session = restore(moved, idle, publisher_in, away, now);
  if (session) {
    log(**session, "session_restored");
  } else if (options_.log) {
    options_.log({.level = LogLevel::warning,
                  .event = "session_lost",
                  .fields = {{"session", moved.id.substr(0, 8)},
                             {"room", moved.room},
                             {"reason", session.error()}}});
  }
  return session.has_value();
}

// All times of its state are as of when it left.
tl::expected<Session*, std::string> Sfu::restore(const MovedSession& moved, dtls::Duration idle,
                                                 const PublisherInPlace& publisher_in,
                                                 dtls::Duration away, dtls::Instant now) {
  const dtls::Instant then = now - away;
  if (handles_.contains(moved.id)) return tl::unexpected<std::string>("another one has its ID");
  auto streams = restore_streams(moved, then);
  if (!streams) return tl::unexpected(streams.error());
  const auto handle =
      ice_lite::SessionState::parse(moved.transport.bytes())
          .and_then([&](ice_lite::SessionState state) {
            return port_.server.restore(
                std::move(state), {.transport = transport_options(streams->size()), .away = away},
                now);
          });
  if (!handle) return tl::unexpected(dtls::to_string(handle.error()));
  forget_connections(port_.server, *handle, now);

  const Visit visit{.id = moved.id,
                    .room = moved.room,
                    .address = moved.address,
                    .publishes = moved.publisher.has_value(),
                    .is_node = moved.viewer && !moved.viewer->node.empty()};
  Admission admission = directory_.readmit(worker_, visit);
  Room& place = room(moved.room, now - idle);
  Session& session = begin(*handle, visit, std::move(admission), place, then - moved.age);
  session.is_connected = true;
  session.path = port_.server.path_of(*handle);
  session.ice = IceSession(moved.ice, then);
  if (moved.publisher) {
    session.publisher = std::make_unique<Publisher>(rtcp_path(port_, *handle), *moved.publisher,
                                                    options_.tracks, then);
    place.add(*session.publisher, port_, now);
    if (mirrors_) mirrors_->announce(place, *session.publisher, now);
    ++counters_.publishers;
  } else {
    const auto of_room = [&](std::size_t index) -> Publisher* {
      Publisher* const shown = publisher_in(index);
      const auto& all = place.all_publishers();
      return std::ranges::find(all, shown) != all.end() ? shown : nullptr;
    };
    auto viewer = std::make_unique<Viewer>(*handle, *std::move(streams), then);
    viewer->restore(*moved.viewer, of_room, then);
    // Free seats are for publishers that could not be seen before.
    add_viewer(session, std::move(viewer), now);
  }
  if (moved.data) session.data = data_.restore(*handle, *moved.data, place.data(), now);
  return &session;
}

}  // namespace sluice::interop::sfu
