#include "sfu/workers/mirrors.h"

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <utility>
#include <variant>

#include "sfu/restart/moved_media.h"

namespace sluice::interop::sfu {
namespace {

// Of a queue, before datagrams and timers have their turn.
constexpr std::size_t kMostRecords = 256;

static_assert(std::is_trivially_copyable_v<MovedLayer>);

// RTCP of a mirror goes to the worker of its original. What it asks for counts there.
RtcpPath way_back(const Workplace& workplace, const Published& to, MediaCounters& counters) {
  return [workplace, worker = to.worker, publisher = to.number, &counters](rtp::Bytes compound) {
    const bool is_sent = workplace.exchange->send(
        workplace.worker, worker, {.publisher = publisher, .kind = MirrorHeader::Kind::feedback},
        compound);
    if (!is_sent) return std::size_t{0};
    // A mirror asks for key frames alone.
    --counters.rtcp_sent;
    --counters.key_frames_asked;
    return compound.size();
  };
}

// What is agreed with the publisher about feedback is not the mirror's.
MovedPublisher as_mirror(MovedPublisher state) {
  for (MovedTrack& track : state.tracks) {
    track.agreed.has_nack = false;
    track.agreed.transport_number_extension.reset();
  }
  return state;
}

Layer* layer_in(Publisher& publisher, const MirrorHeader& header) {
  if (header.track >= publisher.tracks().size()) return nullptr;
  auto& layers = publisher.tracks()[header.track].layers();
  return header.layer < layers.size() ? &layers[header.layer] : nullptr;
}

}  // namespace

// ---- own publishers

class Mirrors::Tap final : public PublisherTap {
 public:
  Tap(const Workplace& workplace, PublisherNumber number, const Publisher& publisher)
      : workplace_(workplace), number_(number), publisher_(publisher) {}

  void on_burst(const Track& track) override {
    for (const std::size_t to : watching_) {
      send_layers(track, [&](const MirrorHeader& header, const Layer& layer) {
        for (const rtp::Bytes bytes : layer.burst()) send(to, header, bytes);
      });
    }
    // They begin while this worker serves its own viewers.
    workplace_.exchange->flush(workplace_.worker);
  }

  void on_rtcp(rtp::Bytes compound) override {
    for (const std::size_t to : watching_) {
      send(to, {.publisher = number_, .kind = MirrorHeader::Kind::reports}, compound);
    }
  }

  // Those that did not watch before get what the packets go on from.
  void set_watching(std::vector<std::size_t> workers, dtls::Instant now) {
    std::erase(workers, workplace_.worker);
    for (const std::size_t to : workers) {
      if (std::ranges::find(watching_, to) != watching_.end()) continue;
      for (const Track& track : publisher_.tracks()) {
        send_layers(track, [&](MirrorHeader header, const Layer& layer) {
          header.kind = MirrorHeader::Kind::state;
          const MovedLayer state = layer.state(now);
          if (state.source) send(to, header, std::as_bytes(std::span(&state, 1)));
        });
      }
    }
    watching_ = std::move(workers);
  }

 private:
  template <class Send>
  void send_layers(const Track& track, Send send_layer) {
    const auto index = static_cast<std::uint8_t>(&track - publisher_.tracks().data());
    for (std::size_t i = 0; i < track.layers().size(); ++i) {
      send_layer(
          MirrorHeader{.publisher = number_, .track = index, .layer = static_cast<std::uint8_t>(i)},
          track.layers()[i]);
    }
  }
  void send(std::size_t to, const MirrorHeader& header, rtp::Bytes bytes) const {
    workplace_.exchange->send(workplace_.worker, to, header, bytes);
  }

  Workplace workplace_;
  PublisherNumber number_;
  const Publisher& publisher_;
  std::vector<std::size_t> watching_ = {};
};

Mirrors::Mirrors(const Workplace& workplace, const TrackOptions& options, MediaPort& port,
                 MakeRoom make_room)
    : workplace_(workplace), options_(options), port_(port), make_room_(std::move(make_room)) {}

Mirrors::~Mirrors() = default;

void Mirrors::announce(Room& room, Publisher& publisher, dtls::Instant now) {
  const auto number = workplace_.directory->publish(
      room.name(), workplace_.worker,
      std::make_shared<const MovedPublisher>(as_mirror(publisher.state(now))));
  auto tap = std::make_unique<Tap>(workplace_, number, publisher);
  publisher.set_tap(tap.get());
  originals_.emplace(number,
                     Original{.room = &room, .publisher = &publisher, .tap = std::move(tap)});
  tell_watching(workplace_.directory->view_of(room.name()), room.name(), now);
}

void Mirrors::withdraw(const Publisher& publisher) {
  const auto found = originals_.find(number_of(publisher));
  if (found == originals_.end()) return;
  workplace_.directory->withdraw(found->second.room->name(), found->first);
  found->second.publisher->set_tap(nullptr);
  originals_.erase(found);
}

// ---- the other workers

void Mirrors::sync(const std::string& name, dtls::Instant now) {
  const RoomView view = workplace_.directory->view_of(name);
  std::erase_if(mirrors_, [&](const auto& entry) {
    const auto& [number, mirror] = entry;
    if (mirror.room->name() != name) return false;
    if (std::ranges::find(view.published, number, &Published::number) != view.published.end()) {
      return false;
    }
    mirror.room->remove(*mirror.publisher, port_, now);
    return true;
  });
  for (const Published& each : view.published) {
    if (each.worker != workplace_.worker && !mirrors_.contains(each.number)) {
      add_mirror(name, each, now);
    }
  }
  tell_watching(view, name, now);
}

void Mirrors::add_mirror(const std::string& name, const Published& published, dtls::Instant now) {
  auto publisher = std::make_unique<Publisher>(way_back(workplace_, published, port_.counters),
                                               *published.state, options_, now);
  Room& room = make_room_(name, now);
  Publisher& added = *publisher;
  mirrors_.emplace(published.number, Mirror{.room = &room, .publisher = std::move(publisher)});
  room.add(added, port_, now);
}

void Mirrors::tell_watching(const RoomView& view, const std::string& room, dtls::Instant now) {
  for (auto& [number, original] : originals_) {
    if (original.room->name() == room) original.tap->set_watching(view.watching, now);
  }
}

bool Mirrors::take(dtls::Instant now) {
  bool is_done = true;
  for (std::size_t worker = 0; worker < workplace_.exchange->workers(); ++worker) {
    if (worker != workplace_.worker && !take_from(worker, now)) is_done = false;
  }
  return is_done;
}

// The packets stay in the queue until they are forwarded.
bool Mirrors::take_from(std::size_t worker, dtls::Instant now) {
  auto& queue = workplace_.exchange->between(worker, workplace_.worker);
  std::size_t count = 0;
  for (; count < kMostRecords; ++count) {
    const auto record = queue.next();
    if (!record) break;
    take(record->header, record->bytes, now);
  }
  forward(now);
  if (count > 0) queue.release();
  return count < kMostRecords;
}

void Mirrors::take(const MirrorHeader& header, dtls::MutableBytes bytes, dtls::Instant now) {
  if (header.kind == MirrorHeader::Kind::feedback) {
    const auto original = originals_.find(header.publisher);
    if (original != originals_.end()) on_feedback(*original->second.publisher, bytes, now);
    return;
  }
  // What comes before the directory was followed, or after the publisher's end, has no viewers.
  const auto found = mirrors_.find(header.publisher);
  if (found == mirrors_.end()) return;
  Mirror& mirror = found->second;
  Layer* const layer = layer_in(*mirror.publisher, header);
  if (header.kind == MirrorHeader::Kind::packet) {
    take_packet(mirror, header, bytes, now);
  } else if (header.kind == MirrorHeader::Kind::reports) {
    mirror.publisher->on_rtcp(bytes, port_.counters, now);
  } else if (layer != nullptr && bytes.size() == sizeof(MovedLayer)) {
    forward(now);  // what has come before
    MovedLayer state;
    std::memcpy(&state, bytes.data(), sizeof state);
    layer->restore(state, now);
    // Viewers that were there first have asked nobody.
    if (layer->receivers() > 0) layer->pass_on_need(port_, now);
  }
}

void Mirrors::take_packet(Mirror& mirror, const MirrorHeader& header, dtls::MutableBytes bytes,
                          dtls::Instant now) {
  Layer* const layer = layer_in(*mirror.publisher, header);
  const auto packet = rtp::read_packet(bytes);
  if (layer == nullptr || !packet) return;
  layer->on_rtp(*packet, bytes, now);
  Track& track = mirror.publisher->tracks()[header.track];
  if (std::ranges::find(busy_, &track) == busy_.end()) busy_.push_back(&track);
}

void Mirrors::forward(dtls::Instant now) {
  for (Track* track : busy_) track->forward(port_, now);
  busy_.clear();
}

void Mirrors::on_feedback(Publisher& publisher, rtp::Bytes compound, dtls::Instant now) {
  rtp::CompoundReader reader(compound);
  while (const auto packet = reader.next()) {
    const auto* loss = *packet ? std::get_if<rtp::PictureLossIndication>(&**packet) : nullptr;
    if (loss == nullptr) continue;
    if (Layer* layer = publisher.find(loss->media).second) layer->pass_on_need(port_, now);
  }
}

void Mirrors::handle_timeout(dtls::Instant now) {
  for (auto& [number, mirror] : mirrors_) {
    for (Track& track : mirror.publisher->tracks()) track.handle_timeout(port_, now);
  }
}

// ---- who is who

PublisherNumber Mirrors::number_of(const Publisher& publisher) const {
  for (const auto& [number, original] : originals_) {
    if (original.publisher == &publisher) return number;
  }
  for (const auto& [number, mirror] : mirrors_) {
    if (mirror.publisher.get() == &publisher) return number;
  }
  return {};
}

Publisher* Mirrors::find(PublisherNumber number) const {
  const auto original = originals_.find(number);
  if (original != originals_.end()) return original->second.publisher;
  const auto mirror = mirrors_.find(number);
  return mirror == mirrors_.end() ? nullptr : mirror->second.publisher.get();
}

Mirrors::Receivers Mirrors::receivers() const {
  Receivers counts;
  for (const auto& [number, mirror] : mirrors_) {
    for (const Track& track : mirror.publisher->tracks()) {
      auto& of_track = counts[number].emplace_back();
      for (const Layer& layer : track.layers()) of_track.push_back(layer.receivers());
    }
  }
  return counts;
}

}  // namespace sluice::interop::sfu
