// What the workers of a server know of each other: their sessions, and who publishes where.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <unordered_map>
#include <utility>
#include <vector>

#include "sfu/operations/counters.h"

namespace sluice::interop::sfu {

struct MovedPublisher;

// The most workers of a server. Between any two of them are two queues of 1 MB.
inline constexpr std::size_t kMaxWorkers = 16;

// What the server offers to a viewer in place of an answer. The session is made by its answer.
struct OfferMade {
  std::string id;     // of the session
  std::string offer;  // SDP
  std::string ice_session;
};

struct Refused {
  Refusal why;
  std::string sentence;  // for the client
  std::optional<OfferMade> counter_offer = {};
};

// Of all workers together: SfuOptions has their values and says what they are of.
struct Limits {
  std::size_t max_rooms = std::numeric_limits<std::size_t>::max();
  std::size_t max_publishers = std::numeric_limits<std::size_t>::max();
  std::size_t max_viewers = std::numeric_limits<std::size_t>::max();
  std::size_t max_sessions = std::numeric_limits<std::size_t>::max();
  std::size_t max_sessions_per_address = std::numeric_limits<std::size_t>::max();
};

// A session that is there, or is to be made.
struct Visit {
  std::string id;
  std::string room;
  std::string address;  // of the HTTP client
  bool publishes = false;
  bool is_node = false;  // a viewer for a node of the cluster
};

// Of a publisher, in the order in which those of the server began.
enum class PublisherNumber : std::uint64_t {};

struct Published {
  PublisherNumber number{};
  std::size_t worker = 0;
  // As it was when it began here.
  std::shared_ptr<const MovedPublisher> state = {};
};

// What a room is to all workers.
struct RoomView {
  std::vector<Published> published = {};   // by their numbers
  std::vector<std::size_t> watching = {};  // the workers with sessions that watch() all of it
};

class Directory;

// The place of a session among all of the server. Its end gives that back.
class Admission {
 public:
  Admission() = default;
  Admission(Admission&& other) noexcept { *this = std::move(other); }
  Admission& operator=(Admission&& other) noexcept;
  ~Admission();

  // Checks with this ufrag are for its worker. The last two are kept, since an ICE restart goes on
  // with both.
  void add_ufrag(const std::string& ufrag);
  // It is for whatever is published in the room from now on, on all workers.
  void watch();
  // Whether there was no such room before.
  [[nodiscard]] bool made_room() const { return made_room_; }

 private:
  friend class Directory;
  Admission(Directory& directory, std::size_t worker, Visit visit, bool made_room)
      : directory_(&directory), worker_(worker), visit_(std::move(visit)), made_room_(made_room) {}

  Directory* directory_ = nullptr;  // null: it has no place
  std::size_t worker_ = 0;
  Visit visit_ = {};
  bool made_room_ = false;
  bool watches_ = false;
  std::pair<std::string, std::string> ufrags_ = {};  // the newest one first
};

// For any thread: a mutex guards it. The way of media does not lead here.
class Directory {
 public:
  // `wake`: called with the number of a worker for which take_changes() has something.
  explicit Directory(const Limits& limits, std::size_t workers = 1,
                     std::function<void(std::size_t)> wake = {});

  [[nodiscard]] std::size_t workers() const { return workers_; }

  // ---- sessions

  // Where a session of this room is best made: on the worker that has the fewest, but rather on one
  // that has sessions of the room already. Mirrors are none.
  [[nodiscard]] std::size_t place_for(const std::string& room) const;
  tl::expected<Admission, Refused> admit(std::size_t worker, Visit visit);
  // One that goes on from the process before, whatever the limits are.
  Admission readmit(std::size_t worker, Visit visit);
  [[nodiscard]] std::optional<std::size_t> worker_of_session(const std::string& id) const;
  [[nodiscard]] std::optional<std::size_t> worker_of_ufrag(std::string_view ufrag) const;
  // Of what was published in this room: its StreamOrigin::id.
  [[nodiscard]] std::optional<std::size_t> worker_of_stream(const std::string& room,
                                                            const std::string& stream) const;

  // ---- rooms

  // The worker has this room from now on, and no longer.
  void hold_room(const std::string& name, std::size_t worker);
  void release_room(const std::string& name, std::size_t worker);
  // A publisher of this worker begins, in a room that it has, and ends.
  PublisherNumber publish(const std::string& room, std::size_t worker,
                          std::shared_ptr<const MovedPublisher> state);
  void withdraw(const std::string& room, PublisherNumber publisher);

  // ---- labels of data channels that peers have opened

  void open_label(const std::string& room, const std::string& label);
  // The last one is a change of the room.
  void close_label(const std::string& room, const std::string& label, std::size_t worker);
  [[nodiscard]] bool has_label(const std::string& room, const std::string& label) const;
  // With sessions of the room, no mirrors alone.
  [[nodiscard]] std::vector<std::size_t> workers_of(const std::string& room) const;

  // ---- changes

  // Rooms whose view has changed, but for what the worker has done itself.
  [[nodiscard]] bool has_changes(std::size_t worker) const {
    return has_changes_.at(worker).load(std::memory_order_acquire);
  }
  [[nodiscard]] std::set<std::string> take_changes(std::size_t worker);
  [[nodiscard]] RoomView view_of(const std::string& room) const;
  // That are no nodes. Who may still answer a counter-offer is one.
  [[nodiscard]] bool has_viewers(const std::string& room) const;

 private:
  friend class Admission;

  struct Entry {
    std::size_t publishers = 0;
    std::size_t viewers = 0;
    std::size_t nodes = 0;              // among the viewers
    std::vector<std::size_t> watching;  // of the viewers those that watch(), by worker
    std::vector<std::size_t> sessions;  // by worker
    std::set<std::size_t> held_by;      // workers, those with mirrors alone included
    std::vector<Published> published = {};
    std::map<std::string, std::size_t> labels = {};  // how many channels have them
  };
  struct TextHash {
    using is_transparent = void;  // NOLINT(readability-identifier-naming): of the library
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };

  [[nodiscard]] std::optional<Refused> refusal_of(const Visit& visit) const;
  // Made if there is none.
  std::map<std::string, Entry>::iterator entry_of(const std::string& room);
  Admission enter(std::size_t worker, Visit visit);
  void begin_watching(const Admission& admission);
  void leave(const Admission& admission);
  void replace_ufrag(const std::string& gone, const std::string& fresh, std::size_t worker);
  void erase_if_empty(std::map<std::string, Entry>::iterator room);
  // For all workers but this one.
  void note_change(const std::string& room, std::size_t by);

  const Limits limits_;
  const std::size_t workers_;
  const std::function<void(std::size_t)> wake_;
  mutable std::mutex mutex_;
  std::map<std::string, Entry> rooms_;
  std::uint64_t last_publisher_ = 0;
  std::vector<std::set<std::string>> changes_;  // by worker
  std::array<std::atomic<bool>, kMaxWorkers> has_changes_ = {};
  std::unordered_map<std::string, std::size_t> sessions_;     // their workers, by ID
  std::vector<std::size_t> sessions_of_;                      // by worker
  std::unordered_map<std::string, std::size_t> per_address_;  // by host_of()
  // Random ones of the server itself, so that nobody chooses them to collide.
  std::unordered_map<std::string, std::size_t, TextHash, std::equal_to<>> ufrags_;
};

}  // namespace sluice::interop::sfu
