// A server among others: what is published on one of them can be watched on all.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "sfu/cluster/pulled_streams.h"
#include "sfu/cluster/puller.h"
#include "sfu/cluster/stream_registry.h"
#include "sfu/media_threads.h"
#include "sfu/operations/event_log.h"

namespace sluice::interop::sfu {

struct ClusterOptions {
  RedisOptions redis = {};
  std::string prefix = "sluice-sfu";  // of the keys: of this cluster among others
  PullerOptions puller = {};          // `node` is set by Cluster::begin()
  // Nodes that may pull one stream from here at a time. Further ones pull from those.
  std::size_t fan_out = 16;
  Log log = {};
};

// The rule:
//   * Every heartbeat the node writes its streams to the registry, those of other nodes included,
//     and looks up each room that has viewers here. Every stream there that it does not have is
//     pulled once: from a node that it has come over few others to, at first.
//   * A stream without viewers here, and without nodes that pull it from here, ends after
//     PulledStreams::kLinger.
//   * Its connection tells when a stream has ended. The registry never does: one that is gone, or
//     empty, ends nothing.
class Cluster {
 public:
  static constexpr std::chrono::milliseconds kHeartbeat{1000};
  // How long a viewer waits for a stream of another node.
  static constexpr std::chrono::milliseconds kFindLimit{4000};

  // `media` outlives it and has LoopOptions::pulls.
  Cluster(ClusterOptions options, MediaThreads& media);
  // Takes back what the registry has of this node.
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  // Before all else. `url`: that of this node for others.
  void begin(const std::string& url);
  // The next process of this node has its streams: they stay in the registry.
  void keep_entries() { keeps_entries_ = true; }

  // ---- from any thread

  // False before begin(): the rest may not be asked then.
  [[nodiscard]] bool has_begun() const { return has_begun_; }
  enum class Found : std::uint8_t {
    found,
    none,         // the room has no publisher on any node
    unreachable,  // it has one, but the stream does not come in time
    no_registry,  // it does not answer
  };
  // For a viewer of a room without publishers here: waits until a stream of it is here.
  Found find(const std::string& room);
  // The streams of this node have changed: the registry is told at once.
  void wake();
  // Of another node for a stream of this one.
  [[nodiscard]] StreamRequest request(std::string room, std::string stream, std::string node) const;
  [[nodiscard]] const std::string& token() const { return options_.puller.token; }

 private:
  using Clock = std::chrono::steady_clock;

  // What is done about a stream that is not here.
  struct Attempt {
    bool is_under_way = false;
    Clock::time_point next{};  // not before
    std::chrono::milliseconds pause{};
  };
  struct Outcome {
    std::uint64_t round = 0;
    std::optional<Found> found = {};  // empty: not known yet
  };
  // What is here, on all workers.
  struct Own {
    ClusterView view;
    std::set<std::string> pulled;  // those that are connecting included
  };

  void run();
  void wait();
  void round();
  // Empty: a worker does not answer.
  [[nodiscard]] std::optional<Own> look_at_workers() const;
  // Of one room in a round. `error`: of the registry.
  std::optional<Found> look_up(const std::string& room, const Own& own,
                               std::optional<std::string>& error);
  void begin_pulls(const std::string& room, const std::vector<StreamEntry>& entries,
                   const Own& own);
  void pull(const std::string& room, const std::vector<StreamEntry>& entries);
  void observe(const PulledStreams::OnChange& on_change);
  void on_change(const StreamOrigin& stream, const std::string& ended);
  void put_off(Attempt& attempt);
  // Tells changes only.
  void note_registry(const std::optional<std::string>& error);
  void log(LogLevel level, std::string_view event,
           std::vector<std::pair<std::string_view, std::string>> fields) const;

  ClusterOptions options_;
  MediaThreads& media_;
  std::optional<Puller> puller_;
  std::optional<StreamRegistry> registry_;
  std::optional<std::string> registry_error_;
  std::atomic<bool> has_begun_ = false;
  std::atomic<bool> keeps_entries_ = false;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool ends_ = false;
  bool is_woken_ = false;
  std::uint64_t rounds_ = 0;                   // that have begun
  std::map<std::string, std::size_t> wanted_;  // rooms, by those that wait for them
  std::map<std::string, Outcome> outcomes_;    // of wanted rooms
  std::map<std::string, Attempt> attempts_;    // by stream

  std::unique_ptr<httplib::ThreadPool> pulls_;
  std::stop_source pulls_end_;
  std::thread thread_;
};

}  // namespace sluice::interop::sfu
