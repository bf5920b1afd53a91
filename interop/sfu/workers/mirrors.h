// The publishers of other workers, as a worker has them for its viewers; and what the other workers
// get of its own publishers.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "sfu/forwarding/media_port.h"
#include "sfu/forwarding/publisher_tap.h"
#include "sfu/forwarding/room.h"
#include "sfu/workers/directory.h"
#include "sfu/workers/exchange.h"

namespace sluice::interop::sfu {

// The place of an Sfu in a server of several threads.
struct Workplace {
  // Both outlive the Sfu. Null: it is alone.
  Directory* directory = nullptr;
  Exchange* exchange = nullptr;
  std::size_t worker = 0;  // its number
};

// A mirror is a Publisher without a peer: it has the tracks and layers of one of another worker,
// gets their packets in plaintext as the server has them, and keeps a cache of its own. What its
// viewers need of the publisher goes back as RTCP. So a packet crosses once for each other worker
// that has viewers of its room, whatever their number is.
//
// Each worker has a mirror of each publisher; it costs little before the first packet. Those of a
// room in which a worker has no viewers get nothing.
class Mirrors {
 public:
  // Of layers, by publisher, track and layer.
  using Receivers = std::map<PublisherNumber, std::vector<std::vector<std::size_t>>>;
  // By the name; one that is made has no publisher since then.
  using MakeRoom = std::function<Room&(const std::string& name, dtls::Instant now)>;

  // `port` outlives it.
  Mirrors(const Workplace& workplace, const TrackOptions& options, MediaPort& port,
          MakeRoom make_room);
  ~Mirrors();
  Mirrors(const Mirrors&) = delete;
  Mirrors& operator=(const Mirrors&) = delete;

  // ---- own publishers

  // It is in the room already.
  void announce(Room& room, Publisher& publisher, dtls::Instant now);
  // Before it leaves the room. Does nothing for one that was not announced.
  void withdraw(const Publisher& publisher);
  // Before all rooms end: mirrors end, too.
  void forget_all() { mirrors_.clear(); }

  // ---- the other workers

  // Follows what the directory has of a room: publishers come and go, and so do viewers of own
  // ones.
  void sync(const std::string& room, dtls::Instant now);
  // Takes what has come in the queues, up to some hundred records of each. False: more waits.
  bool take(dtls::Instant now);
  void handle_timeout(dtls::Instant now);

  // Whether it is of another worker.
  [[nodiscard]] bool is_mirror(const Publisher& publisher) const {
    return mirrors_.contains(number_of(publisher));
  }
  // The number of one that is here, or of its original. It is 0 for what was not announced.
  [[nodiscard]] PublisherNumber number_of(const Publisher& publisher) const;
  // Here, original or mirror; null: there is none.
  [[nodiscard]] Publisher* find(PublisherNumber number) const;
  // Of all mirrors.
  [[nodiscard]] Receivers receivers() const;

 private:
  class Tap;
  struct Original {
    Room* room;
    Publisher* publisher;
    std::unique_ptr<Tap> tap;
  };
  struct Mirror {
    Room* room;
    std::unique_ptr<Publisher> publisher;
  };

  void add_mirror(const std::string& room, const Published& published, dtls::Instant now);
  void tell_watching(const RoomView& view, const std::string& room, dtls::Instant now);
  bool take_from(std::size_t worker, dtls::Instant now);
  void take(const MirrorHeader& header, dtls::MutableBytes bytes, dtls::Instant now);
  void take_packet(Mirror& mirror, const MirrorHeader& header, dtls::MutableBytes bytes,
                   dtls::Instant now);
  void on_feedback(Publisher& publisher, rtp::Bytes compound, dtls::Instant now);
  void forward(dtls::Instant now);

  Workplace workplace_;
  TrackOptions options_;
  MediaPort& port_;
  MakeRoom make_room_;
  std::unordered_map<PublisherNumber, Original> originals_;
  std::unordered_map<PublisherNumber, Mirror> mirrors_;
  std::vector<Track*> busy_;  // with a burst
};

}  // namespace sluice::interop::sfu
