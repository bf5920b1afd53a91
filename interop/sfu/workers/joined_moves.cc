#include "sfu/workers/joined_moves.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <unordered_map>
#include <utility>

namespace sluice::interop::sfu {

MovedSfu join_moves(std::vector<MovedSfu> parts) {
  MovedSfu joined;
  std::vector<MovedSession> viewers;
  for (MovedSfu& part : parts) {
    joined.idle_rooms.merge(part.idle_rooms);
    for (MovedSession& session : part.sessions) {
      (session.publisher ? joined.sessions : viewers).push_back(std::move(session));
    }
  }
  // Publishers of a room in the order in which they came, for which their numbers stand.
  std::ranges::sort(joined.sessions, {},
                    [](const MovedSession& session) { return session.publisher->number; });
  std::ranges::move(viewers, std::back_inserter(joined.sessions));
  std::unordered_map<std::size_t, std::size_t> places;  // by number
  for (std::size_t i = 0; i < joined.sessions.size(); ++i) {
    const auto& publisher = joined.sessions[i].publisher;
    if (publisher) places.emplace(publisher->number, i);
  }
  const auto place_of = [&](std::size_t number) -> std::optional<std::size_t> {
    const auto found = places.find(number);
    return found == places.end() ? std::nullopt : std::optional(found->second);
  };
  for (MovedSession& session : joined.sessions) {
    if (!session.viewer) continue;
    for (auto& seat : session.viewer->seats) {
      if (seat) seat = place_of(*seat);
    }
  }
  return joined;
}

// Publishers come before their viewers, and by then each worker must have their mirrors.
void move_in(const MovedSfu& moved, dtls::Duration away, std::span<Sfu* const> workers,
             const std::function<std::size_t(const MovedSession&)>& place_for, dtls::Instant now) {
  std::vector<PublisherNumber> numbers(moved.sessions.size());
  std::vector<std::size_t> places(moved.sessions.size());
  // The session of another node is where its stream is (Sfu::watch_stream()).
  const auto best_for = [&](const MovedSession& session) {
    const bool is_bound = session.viewer && !session.viewer->node.empty();
    const auto stream =
        is_bound && !session.viewer->seats.empty() ? session.viewer->seats.front() : std::nullopt;
    return stream && *stream < places.size() ? places[*stream] : place_for(session);
  };
  for (std::size_t i = 0; i < moved.sessions.size(); ++i) {
    const MovedSession& each = moved.sessions[i];
    places[i] = best_for(each);
    Sfu& sfu = *workers[places[i]];
    sfu.follow_publishers(now);
    const auto publisher_in = [&](std::size_t index) -> Publisher* {
      return index < numbers.size() ? sfu.mirrors()->find(numbers[index]) : nullptr;
    };
    if (!sfu.move_in(each, moved.idle_of(each.room) + away, publisher_in, away, now)) continue;
    const auto* publisher = sfu.find(each.id)->publisher.get();
    if (publisher != nullptr) numbers[i] = sfu.mirrors()->number_of(*publisher);
  }
  for (Sfu* sfu : workers) {
    sfu->follow_publishers(now);
    sfu->follow_labels(now);
  }
}

}  // namespace sluice::interop::sfu
