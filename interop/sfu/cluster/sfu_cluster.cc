// What an Sfu does for other nodes of its cluster, and with what they send.
#include <algorithm>
#include <iterator>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "common/random_numbers.h"
#include "sfu/sfu.h"

namespace sluice::interop::sfu {
namespace {

Publisher* find_stream(const Room& room, const std::string& id) {
  const auto& all = room.all_publishers();
  const auto found =
      std::ranges::find_if(all, [&](const Publisher* each) { return each->origin().id == id; });
  return found == all.end() ? nullptr : *found;
}

// Nodes that pull it, but for one: a node that comes again has an earlier session at times, which
// nobody has ended.
std::size_t others_that_pull(const Room& room, const Publisher& publisher,
                             const std::string& but_for) {
  std::set<std::string_view> nodes;
  for (const Viewer* each : room.all_viewers()) {
    if (each->is_bound_to(publisher) && each->node() != but_for) nodes.insert(each->node());
  }
  return nodes.size();
}

// Empty: the stream may be pulled. A path holds while its publisher does, since the sessions of
// other nodes end with it: so a stream that comes over the node that asks is a loop, and no other
// one is.
std::optional<Refused> refusal_of(const StreamRequest& request, const Room& room,
                                  const Publisher& publisher) {
  const auto& path = publisher.origin().path;
  if (request.node == request.self || std::ranges::find(path, request.node) != path.end()) {
    return Refused{Refusal::node_loop, "The stream comes over the node that asks for it."};
  }
  if (path.size() + 1 > request.max_depth) {
    return Refused{Refusal::node_loop, "The stream has come over as many nodes as it may: " +
                                           std::to_string(request.max_depth) + "."};
  }
  if (others_that_pull(room, publisher, request.node) >= request.fan_out) {
    return Refused{Refusal::too_many_nodes, "As many nodes pull this stream as may: " +
                                                std::to_string(request.fan_out) + "."};
  }
  return std::nullopt;
}

}  // namespace

Publisher* Sfu::stream_in(const std::string& room, const std::string& id) const {
  const auto found = rooms_.find(room);
  Publisher* const publisher = found != rooms_.end() ? find_stream(*found->second, id) : nullptr;
  const bool is_elsewhere = publisher != nullptr && mirrors_ && mirrors_->is_mirror(*publisher);
  return is_elsewhere ? nullptr : publisher;
}

CreateResult Sfu::watch_stream(const StreamRequest& request, Offer offer,
                               const std::string& address, dtls::Instant now) {
  Publisher* const publisher = stream_in(request.room, request.stream);
  if (publisher == nullptr) return refuse(Refusal::no_publisher, "There is no such stream here.");
  Room& place = *rooms_.at(request.room);
  if (auto refused = refusal_of(request, place, *publisher)) {
    return refuse(refused->why, refused->sentence);
  }
  const Visit visit{
      .id = common::random_id(), .room = request.room, .address = address, .is_node = true};
  auto admission = directory_.admit(worker_, visit);
  if (!admission) return refuse(admission.error());
  std::vector<const PublishedTrack*> tracks;
  std::ranges::transform(publisher->tracks(), std::back_inserter(tracks),
                         [](const Track& track) { return &track.agreed(); });
  const auto agreement = agree_on_layers(offer, tracks, random_ssrc);
  if (!agreement) return refuse(Refusal::offer, agreement.error().sentence);
  auto streams = make_streams(agreement->parts);
  if (!streams) return refuse(Refusal::offer, streams.error());
  const auto handle = add_session(offer, streams->size(), now);
  if (!handle) return refuse(handle.error());
  Session& session = begin(*handle, visit, *std::move(admission), place, now);
  auto viewer = std::make_unique<Viewer>(*handle, *std::move(streams), now);
  viewer->bind(*publisher, request.node);
  add_viewer(session, std::move(viewer), now);
  return created(*handle, offer, agreement->answer, now);
}

std::vector<std::string> Sfu::path_of(const std::string& room, const std::string& stream) const {
  const Publisher* const publisher = stream_in(room, stream);
  return publisher != nullptr ? publisher->origin().path : std::vector<std::string>{};
}

tl::expected<Publisher*, std::string> Sfu::add_pulled(const std::string& room_name,
                                                      std::unique_ptr<Publisher> publisher,
                                                      dtls::Instant now) {
  const auto known = rooms_.find(room_name);
  if (known != rooms_.end() && find_stream(*known->second, publisher->origin().id) != nullptr) {
    return tl::unexpected<std::string>("The stream is here already.");
  }
  // It counts as a session that publishes, of an address of its own.
  const std::string& id = publisher->origin().id;
  auto admission = directory_.admit(
      worker_, {.id = common::random_id(), .room = room_name, .address = id, .publishes = true});
  if (!admission) return tl::unexpected(admission.error().sentence);
  if (admission->made_room()) ++counters_.rooms;
  Room& place = room(room_name, now);
  pulled_.push_back({&place, *std::move(admission), std::move(publisher)});
  Publisher& added = *pulled_.back().publisher;
  place.add(added, port_, now);
  if (mirrors_) mirrors_->announce(place, added, now);
  ++counters_.pulled;
  return &added;
}

void Sfu::remove_pulled(const Publisher& publisher, dtls::Instant now) {
  const auto found = std::ranges::find_if(
      pulled_, [&](const Pulled& each) { return each.publisher.get() == &publisher; });
  if (found == pulled_.end()) return;
  if (mirrors_) mirrors_->withdraw(publisher);
  found->room->remove(*found->publisher, port_, now);
  pulled_.erase(found);
}

bool Sfu::is_wanted(const Publisher& publisher) const {
  const auto found = std::ranges::find_if(
      pulled_, [&](const Pulled& each) { return each.publisher.get() == &publisher; });
  if (found == pulled_.end()) return false;
  return directory_.has_viewers(found->room->name()) ||
         std::ranges::any_of(found->room->all_viewers(),
                             [&](const Viewer* each) { return each->is_bound_to(publisher); });
}

ClusterView Sfu::cluster_view() const {
  ClusterView view;
  for (const auto& [handle, session] : sessions_) {
    const std::string& name = session.room->name();
    if (session.viewer && !session.viewer->is_bound()) view.watched.insert(name);
    if (session.publisher) {
      view.streams.push_back({name, session.publisher->origin().id, 0});
    }
  }
  for (const Pulled& each : pulled_) {
    const StreamOrigin& origin = each.publisher->origin();
    view.streams.push_back({each.room->name(), origin.id, origin.path.size()});
  }
  return view;
}

}  // namespace sluice::interop::sfu
