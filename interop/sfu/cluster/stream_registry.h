// Which streams there are, and which nodes have them: in Redis, for all nodes of a cluster.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "common/redis/redis_client.h"
#include "sfu/cluster/cluster_view.h"

namespace sluice::interop::sfu {

// One node has one stream.
struct StreamEntry {
  std::string stream;     // StreamOrigin::id
  std::size_t depth = 0;  // the nodes that it has come over
  std::string node;       // its URL

  friend bool operator==(const StreamEntry&, const StreamEntry&) = default;
};
// "5f0c11d2... 0 http://192.0.2.1:8080".
std::string entry_text(const StreamEntry& entry);
// Empty: it is none. Whoever can write to Redis can write anything.
std::optional<StreamEntry> parse_entry(std::string_view text);

// A room is one sorted set, "PREFIX:room:NAME", of its entries by the time at which they expire,
// on the clock of Redis. Nothing else is kept, so that a Redis that has lost all of it has all of
// it again after one heartbeat. A stream has one origin, which has made its ID of 128 random bits:
// two nodes that publish into one room have two streams there.
//
// Blocks; used by one thread.
class StreamRegistry {
 public:
  // After it an entry that its node does not repeat is gone.
  static constexpr std::chrono::milliseconds kLifetime{5000};
  // Entries of a room that are looked at.
  static constexpr std::size_t kMostEntries = 64;
  static constexpr std::size_t kLongestEntry = 320;

  StreamRegistry(RedisOptions redis, std::string prefix, std::string node);

  // Writes the streams of this node, and takes back those that it has no longer. The error says
  // that Redis does not answer, or what it has answered of one room: the others are written.
  tl::expected<void, std::string> put(const std::vector<ClusterView::Stream>& streams);
  // Entries of other nodes. What is no entry is left out.
  tl::expected<std::vector<StreamEntry>, std::string> look_up(const std::string& room);
  // Takes back all streams of this node.
  void clear();

 private:
  // The entries of this node, by room.
  using Own = std::map<std::string, std::set<std::string>>;

  [[nodiscard]] std::string key(const std::string& room) const { return prefix_ + ":room:" + room; }
  tl::expected<RedisReply, std::string> run(const std::vector<std::string>& words);

  RedisClient redis_;
  std::string prefix_;
  std::string node_;
  Own own_;  // as Redis has them
};

}  // namespace sluice::interop::sfu
