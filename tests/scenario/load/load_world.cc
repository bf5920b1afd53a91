#include "scenario/load/load_world.h"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

namespace sluice::interop::load {
namespace {

using test::must;

// The publishers and viewers of SfuWorld have others.
dtls::UdpEndpoint address_of_place(std::size_t place) {
  return {dtls::Ipv4Address{203, 0, 113, 1}, static_cast<std::uint16_t>(5000 + place)};
}

template <class T>
T granted(tl::expected<T, std::string> result) {
  if (!result) throw std::runtime_error(result.error());
  return *std::move(result);
}

}  // namespace

LoadWorld::LoadWorld(const sfu::SfuOptions& options) : world(options) {
  world.to_others = [this](dtls::Buffer bytes, const dtls::UdpPath& path) {
    for (std::size_t i = 0; i < places_.size(); ++i) {
      if (address_of_place(i) != path.peer || !places_[i].client || is_cut) continue;
      if (loses && loses(*places_[i].client, bytes)) return;
      under_way_.push_back({world.now + delay, i, std::move(bytes)});
      return;
    }
  };
}

ClientOffer LoadWorld::make_offer(bool publishes, std::vector<OfferedStream> streams) const {
  return {
      .publishes = publishes,
      .streams = std::move(streams),
      .ice = make_credentials(),
      .fingerprint = must(dtls::Fingerprint::of(test::ecdsa_identity().certificate(),
                                                dtls::HashAlgorithm::sha256, test::environment())),
      .own = address_of_place(places_.size())};
}

MediaSession LoadWorld::join(const ClientOffer& offer, const sfu::CreateResult& created) {
  if (!created) throw std::runtime_error(created.error().sentence);
  joining_id_ = created->id;
  auto answer = read_answer(created->answer).value();
  auto candidates = usable_candidates(answer.transport.candidates, offer.own);
  return granted(MediaSession::make({.dtls = dtls_,
                                     .ice = offer.ice,
                                     .answer = std::move(answer),
                                     .candidates = std::move(candidates)},
                                    test::environment(), world.now));
}

void LoadWorld::add(std::unique_ptr<Client> client, Publisher* publisher) {
  places_.push_back({joining_id_, std::move(client), publisher});
  const Client& added = *places_.back().client;
  run_for(std::chrono::milliseconds{200});
  if (!added.session().connected_at()) throw std::runtime_error("a client did not connect");
}

Publisher& LoadWorld::publish(const std::vector<SourceOptions>& sources) {
  std::vector<OfferedStream> offered;
  for (const SourceOptions& source : sources) {
    offered.push_back({source.kind, rtp::Ssrc{static_cast<std::uint32_t>(
                                        100 * (places_.size() + 1) + offered.size())}});
  }
  const auto offer = make_offer(true, offered);
  const auto created = world.publish(write_offer(offer));
  auto session = join(offer, created);
  const auto types = granted(accepted_types(offer, read_answer(created->answer).value()));
  std::vector<PublishedStream> streams;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    streams.push_back({.source = sources[i], .ssrc = offered[i].ssrc, .payload_type = types[i]});
  }
  auto client = std::make_unique<Publisher>(std::move(session), std::move(streams));
  Publisher& publisher = *client;
  add(std::move(client), &publisher);
  return publisher;
}

Viewer& LoadWorld::watch(const WatchOptions& options) {
  std::vector<OfferedStream> offered;
  for (std::size_t seat = 0; seat < options.seats; ++seat) {
    if (options.has_audio) offered.push_back({.kind = SectionKind::audio});
    offered.push_back({.kind = SectionKind::video});
  }
  auto offer = make_offer(false, std::move(offered));
  offer.has_nack = options.has_nack;
  const auto created = world.watch(write_offer(offer));
  auto session = join(offer, created);
  const auto kinds = granted(accepted_kinds(offer, read_answer(created->answer).value()));
  auto client = std::make_unique<Viewer>(
      std::move(session), ViewerOptions{.kinds = kinds, .asks_again = options.has_nack});
  Viewer& viewer = *client;
  add(std::move(client), nullptr);
  return viewer;
}

const std::string& LoadWorld::id_of(const Client& client) const {
  return std::ranges::find_if(places_,
                              [&](const Place& place) { return place.client.get() == &client; })
      ->id;
}

void LoadWorld::remove(const Client& client) {
  const auto place = std::ranges::find_if(
      places_, [&](const Place& each) { return each.client.get() == &client; });
  place->publisher = nullptr;
  place->client.reset();
}

bool LoadWorld::deliver() {
  std::vector<UnderWay> arriving;
  std::erase_if(under_way_, [&](UnderWay& each) {
    if (each.due > world.now) return false;
    arriving.push_back(std::move(each));
    return true;
  });
  for (UnderWay& each : arriving) {
    Client* const client = places_[each.place].client.get();
    if (client != nullptr) client->handle_datagram(each.bytes, sfu::kServer, world.now);
  }
  return !arriving.empty();
}

void LoadWorld::settle() {
  for (bool is_busy = true; is_busy;) {
    is_busy = deliver();
    for (std::size_t i = 0; i < places_.size(); ++i) {
      if (!places_[i].client) continue;
      for (auto& outgoing : places_[i].client->take()) {
        is_busy = true;
        if (loses_to_server && loses_to_server(*places_[i].client, outgoing.bytes)) continue;
        if (!is_cut) world.to_server(std::move(outgoing.bytes), address_of_place(i));
      }
    }
  }
}

void LoadWorld::run_for(dtls::Duration duration) {
  constexpr std::chrono::milliseconds kStep{10};
  const auto until = world.now + duration;
  for (settle(); world.now < until; settle()) {
    world.run_for(kStep);
    for (const Place& place : places_) {
      if (!place.client) continue;
      const auto next = place.client->next_timeout();
      if (next && *next <= world.now) place.client->handle_timeout(world.now);
    }
  }
}

SentPackets LoadWorld::sent() const {
  SentPackets sent;
  for (const Place& place : places_) {
    if (place.publisher == nullptr) continue;
    const auto of_one = place.publisher->sent();
    sent.insert(of_one.begin(), of_one.end());
  }
  return sent;
}

}  // namespace sluice::interop::load
